import { compareBytes } from "./byte-order.ts";
import { AtermError } from "./errors.ts";
import { digestSizes, isHashAlgorithm } from "./hash.ts";
import type { OutputSpecification, StoreDerivation } from "./store-derivation.ts";
import {
  type DerivationPath,
  methodAlgorithm,
  nameProblem,
  parseDerivationPath,
  parseStorePath,
  type StorePath,
  storeDirectory,
} from "./store-path.ts";

/** What is printed in place of the derivation's own data when it is hashed. */
export interface PrintOptions {
  /** Leaves out the derivation's own output paths. */
  readonly mask?: boolean;
  /** Stands in place of the input derivations: hash of each, and its outputs. */
  readonly inputs?: ReadonlyMap<string, Iterable<string>>;
}

/** Prints a derivation as its `.drv` file has it: one ATerm, without white space. */
export function printAterm(derivation: StoreDerivation, options: PrintOptions = {}): string {
  const mask = options.mask ?? false;
  const env = byKey(derivation.env).map(
    ([key, value]) => `(${quote(key)},${quote(mask && derivation.outputs.has(key) ? "" : value)})`,
  );
  return (
    `${printOutputs(derivation, mask)}${printInputs(options.inputs ?? derivation.inputDerivations)},` +
    `[${[...derivation.inputSources].sort().map(quote).join(",")}],` +
    `${quote(derivation.system)},${quote(derivation.builder)},` +
    `[${derivation.args.map(quote).join(",")}],[${env.join(",")}])`
  );
}

/** The text of a derivation with other inputs, from the text that it has: saves printing all the rest once more. */
export function replaceInputs(
  derivation: StoreDerivation,
  text: string,
  inputs: ReadonlyMap<string, Iterable<string>>,
): string {
  const before = printOutputs(derivation, false);
  const rest = text.slice(before.length + printInputs(derivation.inputDerivations).length);
  return before + printInputs(inputs) + rest;
}

/** Everything up to the input derivations. */
function printOutputs(derivation: StoreDerivation, mask: boolean): string {
  const outputs = byKey(derivation.outputs).map(
    ([name, output]) => `(${quote(name)},${outputFields(output, mask).map(quote).join(",")})`,
  );
  return `Derive([${outputs.join(",")}],`;
}

function printInputs(inputs: ReadonlyMap<string, Iterable<string>>): string {
  const entries = byKey(inputs).map(
    ([path, names]) => `(${quote(path)},[${[...names].sort(compareBytes).map(quote).join(",")}])`,
  );
  return `[${entries.join(",")}]`;
}

function outputFields(output: OutputSpecification, mask: boolean): readonly [string, string, string] {
  switch (output.kind) {
    case "input-addressed":
      return [mask ? "" : output.path, "", ""];
    case "fixed":
      return [mask ? "" : output.path, methodAlgorithm(output.mode, output.hash.algorithm), output.hash.hex];
    case "floating":
      return ["", "r:sha256", ""];
    case "deferred":
      return ["", "", ""];
  }
}

function byKey<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([left], [right]) => compareBytes(left, right));
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function quote(text: string): string {
  return /["\\\n\r\t]/.test(text)
    ? `"${text.replace(/["\\\n\r\t]/g, (character) => escapes[character] ?? character)}"`
    : `"${text}"`;
}

/**
 * Reads a `.drv` file. Only the canonical form is accepted (sorted, no duplicates),
 * so printing the result gives the same bytes.
 *
 * @param name name of the derivation, without `.drv`
 * @throws AtermError
 */
export function parseAterm(
  name: string,
  file: string | Uint8Array,
  directory: string = storeDirectory,
): StoreDerivation {
  const reader = new Reader(name, typeof file === "string" ? file : decode(name, file));
  const problem = nameProblem(name);
  if (problem !== undefined) reader.fail(`its name ${problem}`);

  reader.expect("Derive(");
  const outputs = new Map<string, OutputSpecification>();
  reader.sorted(() => {
    reader.expect("(");
    const output = reader.string();
    reader.expect(",");
    outputs.set(output, readOutput(reader, directory));
    return output;
  });
  if (outputs.size === 0) reader.fail("it has no outputs");
  reader.expect(",");
  const inputDerivations = new Map<DerivationPath, readonly string[]>();
  reader.sorted(() => {
    reader.expect("(");
    const path = reader.path((text) => parseDerivationPath(text, directory));
    reader.expect(",");
    inputDerivations.set(
      path,
      reader.sorted(() => reader.string()),
    );
    reader.expect(")");
    return path;
  });
  reader.expect(",");
  const inputSources = reader.sorted(() => reader.path((text) => parseStorePath(text, directory)));
  reader.expect(",");
  const system = reader.string();
  reader.expect(",");
  const builder = reader.string();
  reader.expect(",");
  const args = reader.list(() => reader.string());
  reader.expect(",");
  const env = new Map<string, string>();
  reader.sorted(() => {
    reader.expect("(");
    const key = reader.string();
    reader.expect(",");
    env.set(key, reader.string());
    reader.expect(")");
    return key;
  });
  reader.expect(")");
  reader.end();
  return { name, outputs, inputDerivations, inputSources, system, builder, args, env };
}

function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AtermError(name, 0, "it is not UTF-8");
  }
}

function readOutput(reader: Reader, directory: string): OutputSpecification {
  const start = reader.offset;
  const path = reader.string();
  reader.expect(",");
  const method = reader.string();
  reader.expect(",");
  const hex = reader.string();
  reader.expect(")");
  const parsed = (): StorePath => reader.checked(start, () => parseStorePath(path, directory));
  if (method === "" && hex === "") {
    return path === "" ? { kind: "deferred" } : { kind: "input-addressed", path: parsed() };
  }
  if (hex === "") {
    if (path !== "" || method !== "r:sha256")
      reader.fail(`an output without a hash is addressed by '${method}'`, start);
    return { kind: "floating" };
  }
  const algorithm = method.replace(/^r:/, "");
  if (!isHashAlgorithm(algorithm)) return reader.fail(`'${algorithm}' is not a hash algorithm`, start);
  if (hex.length !== digestSizes[algorithm] * 2 || !/^[0-9a-f]*$/.test(hex)) {
    reader.fail(`'${hex}' is not a ${algorithm} in lower-case hexadecimal`, start);
  }
  return {
    kind: "fixed",
    mode: method.startsWith("r:") ? "recursive" : "flat",
    hash: { algorithm, hex },
    path: parsed(),
  };
}

/** A cursor over the text of one derivation. */
class Reader {
  readonly name: string;
  readonly text: string;
  offset = 0;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  fail(problem: string, offset: number = this.offset): never {
    throw new AtermError(this.name, offset, problem);
  }

  expect(literal: string): void {
    if (!this.text.startsWith(literal, this.offset)) {
      const found = this.text.charAt(this.offset);
      this.fail(`expected ${JSON.stringify(literal)}, found ${found === "" ? "the end" : JSON.stringify(found)}`);
    }
    this.offset += literal.length;
  }

  end(): void {
    if (this.offset !== this.text.length) this.fail("something follows the closing parenthesis");
  }

  /** Runs a parser of another file's error and reports its problem at `offset`. */
  checked<Value>(offset: number, parse: () => Value): Value {
    try {
      return parse();
    } catch (cause) {
      return this.fail(cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause), offset);
    }
  }

  path<Path extends StorePath>(parse: (text: string) => Path): Path {
    const start = this.offset;
    const text = this.string();
    return this.checked(start, () => parse(text));
  }

  string(): string {
    this.expect('"');
    const start = this.offset;
    let escaped = false;
    for (;;) {
      const unit = this.text.charCodeAt(this.offset);
      if (Number.isNaN(unit)) this.fail("a string has no closing quote", start);
      if (unit === 0x22) break;
      if (unit === 0x5c) {
        escaped = true;
        this.offset++;
        if (!/^["\\nrt]/.test(this.text.charAt(this.offset))) this.fail('an escape other than \\" \\\\ \\n \\r \\t');
      } else if (unit === 0x0a || unit === 0x0d || unit === 0x09) {
        this.fail("a control character that should be escaped");
      } else if (unit === 0) {
        this.fail("a string has a NUL character");
      }
      this.offset++;
    }
    const raw = this.text.slice(start, this.offset++);
    return escaped ? raw.replace(/\\(.)/g, (_, character: string) => unescapes[character] ?? character) : raw;
  }

  list<Item>(item: () => Item): Item[] {
    const items: Item[] = [];
    this.expect("[");
    while (this.text.charAt(this.offset) !== "]") {
      if (items.length > 0) this.expect(",");
      items.push(item());
    }
    this.offset++;
    return items;
  }

  /** A list whose keys, which `item` returns, must rise. */
  sorted<Key extends string>(item: () => Key): Key[] {
    let last: Key | undefined;
    return this.list(() => {
      const start = this.offset;
      const key = item();
      if (last !== undefined && compareBytes(last, key) >= 0) this.fail("entries are out of order or doubled", start);
      last = key;
      return key;
    });
  }
}

const unescapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
