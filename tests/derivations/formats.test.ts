import fc from "fast-check";
import t from "tap";
import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeBase32, encodeBase32 } from "#lib/derivations/base32.ts";
import { compareBytes } from "#lib/derivations/byte-order.ts";
import { type Derivation, derivation, type DerivationAttributes } from "#lib/derivations/derivation.ts";
import { formatBase32, formatHex, formatSri, hashBytes, hashData, parseHash, sha256 } from "#lib/derivations/hash.ts";
import { instantiate } from "#lib/derivations/instantiate.ts";
import { inputPlaceholder, outputPlaceholder } from "#lib/derivations/placeholder.ts";
import {
  baseName,
  derivationName,
  enclosingStorePath,
  fixedOutputPath,
  hashPart,
  isStorePath,
  makeStorePath,
  nameProblem,
  parseDerivationPath,
  parseStorePath,
  sourceStorePath,
  storePathName,
  textPath,
} from "#lib/derivations/store-path.ts";

const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");
const narHello = parseHash("sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM=");

void t.test("base-32 gives Nix's text for known digests", (t) => {
  const digests: [string, string][] = [
    ["", "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"],
    ["f", "04giv618l96pi7xbrmyiwidzk8pban1aw2ww0ldcmsqh6v410br5"],
    ["foo", "1bp7cri8hplaz6hbz0v4f0nl44rl84q1sg25kgwqzipzd1mv89ic"],
    ["hello", "094qif9n4cq4fdg459qzbhg1c6wywawwaaivx0k0x8xhbyx4vwic"],
  ];
  for (const [text, base32] of digests) t.equal(formatBase32(sha256(text)), `sha256:${base32}`);
  t.equal(formatBase32(hashData("md5", "")), "md5:3y8bwfr609h3lh9ch0izcqq7fl");
  t.equal(formatBase32(hashData("sha1", "foo")), "sha1:6f5dlxf2bcy7zm0dbp4xn3rzxaswgvhb");
  t.equal(encodeBase32(bytes("00")), "00");
  t.equal(encodeBase32(bytes("1f")), "0z");
  t.equal(encodeBase32(bytes("ff")), "7z");
  t.equal(encodeBase32(bytes("0102030405060708090a0b0c0d0e0f1011121314")), "2h9i448h1w70s30b184hh1q60l2060h1");
  t.end();
});

void t.test("base-32 reads back what it wrote and refuses everything else", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (data) => {
      t.matchOnly(decodeBase32(encodeBase32(data), data.length), data);
    }),
    { numRuns: 60 },
  );
  t.equal(decodeBase32("zz", 1), undefined, "bits beyond the last byte");
  t.equal(decodeBase32("0e", 1), undefined, "a letter that is left out");
  t.equal(decodeBase32("000", 1), undefined, "too long");
  t.end();
});

void t.test("strings are ordered by the bytes of their UTF-8 form", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (left, right) => {
      t.equal(Math.sign(compareBytes(left, right)), Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
    { numRuns: 100 },
  );
  t.ok(compareBytes("\uff5e", "\u{1f600}") < 0, "where code units say the opposite");
  t.end();
});

void t.test("a hash is read in base-16, base-32, base-64 and SRI", (t) => {
  for (const algorithm of ["md5", "sha1", "sha256", "sha512"] as const) {
    const hash = hashData(algorithm, "hello");
    const base64 = hashBytes(hash).toString("base64");
    for (const text of [formatHex(hash), formatBase32(hash), formatSri(hash), `${algorithm}:${base64}`]) {
      t.same(parseHash(text), hash, text);
      t.same(parseHash(text, algorithm), hash, text);
    }
    t.same(parseHash(hash.hex.toUpperCase(), algorithm), hash);
  }
  t.end();
});

void t.test("what is not a hash is refused with the reason", (t) => {
  const refused: [string, RegExp][] = [
    ["", /does not name its algorithm/],
    ["sha3-abc", /'sha3' is none of/],
    ["sha256-abc", /not the length of a sha256/],
    [`sha256:${"g".repeat(64)}`, /not hexadecimal/],
    [`sha256:${"e".repeat(52)}`, /not base-32/],
    [`sha256-${"!".repeat(43)}=`, /not base-64/],
    [`sha256-${"/".repeat(43)}=`, /not base-64/],
    [`sha256-${"0".repeat(64)}`, /not the length/],
  ];
  for (const [text, message] of refused) t.throws(() => parseHash(text), { _tag: "HashSyntaxError", message }, text);
  t.throws(() => parseHash(formatSri(sha256("")), "sha512"), { message: /should be a sha512/ });
  t.end();
});

void t.test("store paths are Nix's", (t) => {
  t.test("of texts, with their references sorted", (t) => {
    const a = textPath("a.txt", sha256("hello\n"), []);
    t.equal(a, "/nix/store/8hb1zapwkfr1j7zmxj7s7wj2pgci7zjm-a.txt");
    t.equal(textPath("empty", sha256(""), []), "/nix/store/wflv0hgb0qb1ddc5nxmsg0y9zjjhfvmh-empty");
    const b = textPath("b.txt", sha256(`ref ${a}`), [a]);
    t.equal(b, "/nix/store/g3ayx1v5x8dsvzxlk7bdcxiazzhl5c5z-b.txt");
    const c = textPath("c.txt", sha256(`refs ${b} ${a}`), [b, a]);
    t.equal(c, "/nix/store/nmrqai6sh8z2kk7bpxn6hnnnks6mh1b0-c.txt");
    t.end();
  });
  t.test("of sources", (t) => {
    t.equal(sourceStorePath("hello", narHello), "/nix/store/gwina1sjk7g95wq6fxc6b7s1hza53h74-hello");
    const d = parseHash("sha256:0snkmp7qd1v7z8sxxl5lib9g9ascg0s6c9nxs6k0kl2wzrj8jc50");
    t.equal(sourceStorePath("d", d), "/nix/store/4pccpj4j367rgcqwikc7zdrfbjd8kq9a-d");
    t.equal(sourceStorePath("renamed", d), "/nix/store/aisg0qpbm8c3xylif0dz78478bil44qr-renamed");
    t.end();
  });
  t.test("of fixed content, for every algorithm and mode", (t) => {
    const flat: [Parameters<typeof hashData>[0], string][] = [
      ["sha256", "8zv8i345w2xn27jrxj4cyjc6x3b4am1q"],
      ["sha1", "032avhrrgjp8441c41iid7ywc92j4z76"],
      ["md5", "nwyv04d03kciinw9gbbrg1bgc8c3j886"],
      ["sha512", "5vapip0agyanfv7221kfbjiphdy7pzzp"],
    ];
    for (const [algorithm, hash] of flat) {
      t.equal(fixedOutputPath("hello", "flat", hashData(algorithm, "hello\n")), `/nix/store/${hash}-hello`);
    }
    const token = (text: string): Buffer => {
      const data = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, 0);
      data.writeBigUInt64LE(BigInt(text.length));
      data.write(text, 8);
      return data;
    };
    const nar = Buffer.concat(["nix-archive-1", "(", "type", "regular", "contents", "hello\n", ")"].map(token));
    t.same(sha256(nar), narHello);
    t.equal(fixedOutputPath("hello", "recursive", narHello), "/nix/store/gwina1sjk7g95wq6fxc6b7s1hza53h74-hello");
    const sha1 = fixedOutputPath("hello", "recursive", hashData("sha1", nar));
    t.equal(sha1, "/nix/store/ypkrwry3mx50aca2g82vp7if8fbg2skq-hello");
    const sha512 = fixedOutputPath("hello", "recursive", hashData("sha512", nar));
    t.equal(sha512, "/nix/store/2z4pvdfchhd7fgqsqx4dd73arvck0fvf-hello");
    t.end();
  });
  t.end();
});

void t.test("a store path is taken apart and what is none is refused", (t) => {
  const path = parseDerivationPath("/nix/store/cxl3gdvrylxaanfsn3n3a8lhnh2jfrc5-simple.drv");
  t.equal(baseName(path), "cxl3gdvrylxaanfsn3n3a8lhnh2jfrc5-simple.drv");
  t.equal(hashPart(path), "cxl3gdvrylxaanfsn3n3a8lhnh2jfrc5");
  t.equal(storePathName(path), "simple.drv");
  t.equal(derivationName(path), "simple");
  t.equal(enclosingStorePath(`${path}/bin/sh`), path);
  const hash = "cxl3gdvrylxaanfsn3n3a8lhnh2jfrc5";
  for (const text of [
    "/gnu/store/cxl3gdvrylxaanfsn3n3a8lhnh2jfrc5-a",
    `/nix/store/${hash}`,
    `/nix/store/${hash}-`,
    `/nix/store/${hash}-a/b`,
    `/nix/store/${hash}-..`,
    `/nix/store/${hash}-a b`,
    `/nix/store/${hash.replace("c", "e")}-a`,
    "/nix/store/../../etc/passwd",
    "",
  ]) {
    t.notOk(isStorePath(text), text);
    t.throws(() => parseStorePath(text), { _tag: "StorePathError", message: /is not/ });
  }
  t.throws(() => parseDerivationPath(`/nix/store/${hash}-a`), /does not end in .drv/);
  t.end();
});

void t.test("a name has 1 to 211 of the allowed characters and is no dot name", (t) => {
  for (const name of ["a", "A+-._?=9", ".hidden", "..a", "a".repeat(211)]) t.equal(nameProblem(name), undefined, name);
  for (const name of ["", ".", "..", ".-a", "..-a", "a/b", "a b", "é", "a\n", "a".repeat(212)])
    t.type(nameProblem(name), "string", name);
  t.throws(() => makeStorePath("source", "0".repeat(64), "a/b"), { _tag: "StorePathError", message: /cannot name/ });
  t.end();
});

void t.test("placeholders are Nix's", (t) => {
  t.equal(outputPlaceholder("out"), "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
  const plain = parseDerivationPath("/nix/store/0cf0iz8yg6q1zw63n1pdgznz1qfd0pw6-ca-plain.drv");
  t.equal(inputPlaceholder(plain, "out"), "/04w2y9f73xyhb64qgdyjn51pdy522kdbq14x5d3dp3lvai1ld6cl");
  t.end();
});

const nix = ((): string | false => {
  try {
    return execFileSync("nix-instantiate", ["--version"], { encoding: "utf8" });
  } catch {
    return false;
  }
})();

void t.test("hashes and store paths are those of real Nix", { skip: nix === false && "no nix on the PATH" }, (t) => {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "real-nix-"));
  t.teardown(() => {
    execFileSync("chmod", ["-R", "u+w", directory]);
    nodeFs.rmSync(directory, { recursive: true });
  });
  const env = { ...process.env, HOME: directory, NIX_CONFIG: "build-users-group =" };
  const real = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] }).trim();
  const contents = fc.sample(fc.string({ maxLength: 50 }), { numRuns: 5, seed: 11 });
  for (const [index, content] of contents.entries()) {
    const file = join(directory, `file-${index}`);
    nodeFs.writeFileSync(file, content);
    for (const algorithm of ["md5", "sha1", "sha256", "sha512"] as const) {
      const hash = hashData(algorithm, content);
      t.equal(encodeBase32(hashBytes(hash)), real("nix-hash", "--flat", "--base32", "--type", algorithm, file));
      t.equal(
        formatHex(hash),
        `${algorithm}:${real("nix-hash", "--to-base16", "--type", algorithm, encodeBase32(hashBytes(hash)))}`,
      );
      for (const mode of ["flat", "recursive"] as const) {
        const flags = mode === "recursive" ? ["--recursive"] : [];
        const expected = real("nix-store", ...flags, "--print-fixed-path", algorithm, hash.hex, `name-${index}`);
        t.equal(fixedOutputPath(`name-${index}`, mode, hash), expected, `${mode} ${algorithm}`);
      }
    }
    const narHash = parseHash(`sha256:${real("nix-hash", "--type", "sha256", "--base32", file)}`);
    t.equal(
      sourceStorePath(`file-${index}`, narHash),
      real("nix-store", "--store", join(directory, "s"), "--add", file),
    );
  }
  const text = 'let a = builtins.toFile "a" "one"; in builtins.toFile "b" "see ${a}"';
  const a = textPath("a", sha256("one"), []);
  const b = real("nix-instantiate", "--store", join(directory, "s"), "--eval", "--read-write-mode", "-E", text);
  t.equal(JSON.stringify(textPath("b", sha256(`see ${a}`), [a])), b);
  t.end();
});

/** A derivation as plain data, in which each number `n` of `inputs` means the `n`th one before it. */
interface Recipe {
  readonly kind: "input" | "floating" | "fixed";
  readonly script: string;
  readonly env: Readonly<Record<string, string | number | boolean | null | readonly (string | number)[]>>;
  readonly outputs: readonly string[];
  readonly inputs: readonly number[];
}

const text = fc.string({
  unit: fc.constantFrom("a", "é", "☃", "😀", '"', "\\", "\n", "\r", "\t", "$", "'", " ", "\u0001"),
});
const recipes: fc.Arbitrary<Recipe> = fc.record({
  kind: fc.constantFrom("input" as const, "floating" as const, "fixed" as const),
  script: text,
  env: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom("a", "B", "_", "z", "1") }).map((name) => `v${name}`),
    fc.oneof(
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.oneof(text, fc.integer()), { maxLength: 3 }),
    ),
    { maxKeys: 4 },
  ),
  outputs: fc.constantFrom(["out"], ["out", "dev"], ["lib", "bin", "doc"]),
  inputs: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
});

/** The derivations of a list of recipes, by our own means. */
function ours(list: readonly Recipe[]): Derivation[] {
  const made: Derivation[] = [];
  for (const [index, recipe] of list.entries()) {
    const inputs = recipe.inputs.flatMap((back) => made[index - back] ?? []);
    const common = { name: `n${index}`, builder: "/bin/sh", args: ["-c", recipe.script] };
    const hash = hashData("sha256", recipe.script);
    const attributes: DerivationAttributes =
      recipe.kind === "fixed"
        ? { ...common, env: { ...recipe.env, inputs }, fixedOutput: { mode: "recursive", hash } }
        : {
            ...common,
            outputs: recipe.outputs,
            addressing: recipe.kind === "input" ? "input" : "content",
            env: {
              ...recipe.env,
              inputs,
              ...(recipe.kind === "floating" && { outputHashAlgo: "sha256", outputHashMode: "recursive" }),
            },
          };
    made.push(derivation(attributes));
  }
  return made;
}

/** The same as a Nix expression: a list of derivations. */
const expression = (file: string): string => `
let
  recipes = builtins.fromJSON (builtins.readFile ${file});
  made = builtins.genList (index:
    let
      recipe = builtins.elemAt recipes index;
      inputs = map (back: builtins.elemAt made (index - back)) (builtins.filter (back: back <= index) recipe.inputs);
    in derivation (recipe.env // {
      name = "n\${toString index}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" recipe.script ];
      inherit inputs;
    } // (if recipe.kind == "fixed" then {
      outputHash = builtins.hashString "sha256" recipe.script; outputHashAlgo = "sha256"; outputHashMode = "recursive";
    } else { inherit (recipe) outputs; } // (if recipe.kind == "floating" then {
      __contentAddressed = true; outputHashAlgo = "sha256"; outputHashMode = "recursive";
    } else {})))) (builtins.length recipes);
in made`;

void t.test(
  "random graphs of derivations are those of real Nix",
  { skip: nix === false && "no nix on the PATH" },
  (t) => {
    const directory = nodeFs.mkdtempSync(join(tmpdir(), "real-nix-"));
    t.teardown(() => {
      execFileSync("chmod", ["-R", "u+w", directory]);
      nodeFs.rmSync(directory, { recursive: true });
    });
    const list = fc.sample(recipes, { numRuns: 60, seed: 42 });
    nodeFs.writeFileSync(join(directory, "recipes.json"), JSON.stringify(list));
    nodeFs.writeFileSync(join(directory, "all.nix"), expression("./recipes.json"));
    const paths = execFileSync(
      "nix-instantiate",
      [
        "--store",
        join(directory, "s"),
        "--option",
        "experimental-features",
        "ca-derivations",
        "--option",
        "build-users-group",
        "",
        join(directory, "all.nix"),
      ],
      { encoding: "utf8", env: { ...process.env, HOME: directory }, stdio: ["ignore", "pipe", "ignore"] },
    )
      .trim()
      .split("\n")
      .map((line) => line.replace(/!.*$/, ""));
    const made = ours(list);
    const { derivations } = instantiate(made, new Map());
    t.equal(paths.length, list.length);
    for (const [index, root] of made.entries()) {
      const result = derivations.get(root)!;
      t.equal(
        result.text,
        nodeFs.readFileSync(join(directory, "s", paths[index]!), "utf8"),
        `n${index}: ${list[index]!.kind}`,
      );
      t.equal(result.path, paths[index], `n${index}`);
    }
    t.end();
  },
);
