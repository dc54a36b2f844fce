import fc from "fast-check";

/** Pieces that parsers stumble over: paths that lead out, ends of strings, numbers out of range. */
const hostile = [
  "../../../../escaped",
  "/escaped",
  "..",
  "./",
  "\0",
  "\n",
  "\xff\xfe",
  "-1",
  "99999999999999999999",
  "7777777777777",
  "NaN",
  "__proto__",
  '"',
  "\\",
  "{",
  "]",
];

/** One change to some bytes; positions are fractions, so that it fits whatever length. */
type Mutation =
  | { readonly kind: "set"; readonly at: number; readonly byte: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "overwrite"; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "delete"; readonly at: number; readonly length: number }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number }
  | { readonly kind: "cut"; readonly at: number }
  /** Puts something hostile in place of a word, of the same length: so that everything around still fits. */
  | { readonly kind: "word"; readonly at: number; readonly fill: string };

/** What takes the place of words, repeated or cut to their lengths. */
const fills = ["../", "/escaped", "./", "\0", "9", "dir/link/"];

// Not fc.double: most of its numbers lie close to zero.
const at = fc.maxSafeNat().map((number) => number / Number.MAX_SAFE_INTEGER);
const length = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.constantFrom(60, 512, 1024));
const bytes = fc.oneof(
  fc.constantFrom(...hostile).map((text) => Buffer.from(text, "latin1")),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((array) => Buffer.from(array)),
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    at,
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x2e, 0x2f, 0x37)),
  }),
  fc.record({ kind: fc.constant("insert" as const), at, bytes }),
  fc.record({ kind: fc.constant("overwrite" as const), at, bytes }),
  fc.record({ kind: fc.constant("delete" as const), at, length }),
  fc.record({ kind: fc.constant("repeat" as const), at, length }),
  fc.record({ kind: fc.constant("cut" as const), at }),
  ...Array.from({ length: 4 }, () =>
    fc.record({ kind: fc.constant("word" as const), at, fill: fc.constantFrom(...fills) }),
  ),
);

function mutate(original: Buffer, change: Mutation): Buffer {
  const start = Math.floor(change.at * original.length);
  const before = original.subarray(0, start);
  const from = (position: number): Buffer => original.subarray(Math.min(position, original.length));
  switch (change.kind) {
    case "set":
      return Buffer.concat([before, Buffer.of(change.byte), from(start + 1)]);
    case "insert":
      return Buffer.concat([before, change.bytes, from(start)]);
    case "overwrite":
      return Buffer.concat([before, change.bytes, from(start + change.bytes.length)]);
    case "delete":
      return Buffer.concat([before, from(start + change.length)]);
    case "repeat":
      return Buffer.concat([original.subarray(0, start + change.length), from(start)]);
    case "cut":
      return before;
    case "word": {
      const all = [...original.toString("latin1").matchAll(/[\w.+/-]{2,}/g)];
      // Each once: names and targets are few among contents, and numbers among names.
      const words = [...new Map(all.map((match) => [match[0], match])).values()].filter(
        ([text]) => !/^[0-9]{3,}$/.test(text),
      );
      const word = words[Math.min(Math.floor(change.at * words.length), words.length - 1)];
      if (word === undefined) return original;
      const changed = Buffer.from(original);
      changed.write(change.fill.repeat(word[0].length).slice(0, word[0].length), word.index, "latin1");
      return changed;
    }
  }
}

/** One of some valid files, with one to four changes. */
export const mutated = (samples: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([sample, changes]) => changes.reduce(mutate, sample));

/** How often each property is tried: `HELIOS_TEST_RUNS=100000` for a night. */
export const runs = Number(process.env["HELIOS_TEST_RUNS"] ?? 300);
