/**
 * JSON (RFC 8259) with the place of every value, so that a broken lock file is reported by line.
 * Stricter than `JSON.parse`: a repeated key is an error, and nesting is bounded.
 */
export type JsonNode =
  | { readonly kind: "object"; readonly offset: number; readonly entries: ReadonlyMap<string, JsonEntry> }
  | { readonly kind: "array"; readonly offset: number; readonly items: readonly JsonNode[] }
  | { readonly kind: "string"; readonly offset: number; readonly value: string }
  | { readonly kind: "number"; readonly offset: number; readonly value: number }
  | { readonly kind: "boolean"; readonly offset: number; readonly value: boolean }
  | { readonly kind: "null"; readonly offset: number };

/** A member of an object: where its key stands, and its value. */
export interface JsonEntry {
  readonly offset: number;
  readonly value: JsonNode;
}

/** The text is not JSON at `offset` (in UTF-16 code units), or its content is refused there. */
export class JsonFault extends Error {
  readonly offset: number;

  constructor(offset: number, why: string) {
    super(why);
    this.offset = offset;
  }
}

/** No lock file nests deeper than 5; the bound keeps hostile input off the stack. */
const maximumDepth = 32;

/** Parses a whole text. Throws JsonFault. */
export function parseJson(text: string): JsonNode {
  const reader = new Reader(text);
  const node = reader.value(0);
  reader.end();
  return node;
}

/** Line and column of an offset, both from 1. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", start)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

const blank = /[ \t\r\n]*/y;
const numeral = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** From quote to quote; which characters and escapes are legal in between is left to JSON.parse. */
const quoted = /"[^"\\\n]*(?:\\.[^"\\\n]*)*"/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonNode {
    if (depth > maximumDepth) throw new JsonFault(this.#at, `more than ${maximumDepth} levels of nesting`);
    this.#skip();
    const offset = this.#at;
    switch (this.#text[offset]) {
      case "{":
        return { kind: "object", offset, entries: this.#members(depth) };
      case "[":
        return { kind: "array", offset, items: this.#items(depth) };
      case '"':
        return { kind: "string", offset, value: this.#string() };
      default:
        return this.#scalar(offset);
    }
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) this.#unexpected("the end of the file");
  }

  #members(depth: number): ReadonlyMap<string, JsonEntry> {
    const entries = new Map<string, JsonEntry>();
    this.#at += 1;
    if (this.#take("}")) return entries;
    do {
      this.#skip();
      const offset = this.#at;
      if (this.#text[offset] !== '"') this.#unexpected("a key in double quotes");
      const key = this.#string();
      if (entries.has(key)) throw new JsonFault(offset, `the key ${JSON.stringify(key)} stands here a second time`);
      if (!this.#take(":")) this.#unexpected("':'");
      entries.set(key, { offset, value: this.value(depth + 1) });
    } while (this.#take(","));
    if (!this.#take("}")) this.#unexpected("',' or '}'");
    return entries;
  }

  #items(depth: number): readonly JsonNode[] {
    const items: JsonNode[] = [];
    this.#at += 1;
    if (this.#take("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) this.#unexpected("',' or ']'");
    return items;
  }

  #string(): string {
    const offset = this.#at;
    const text = this.#match(quoted);
    if (text === undefined) throw new JsonFault(offset, "this string does not end on its line");
    try {
      return JSON.parse(text) as string;
    } catch {
      throw new JsonFault(offset, "this string has an escape or a control character that JSON forbids");
    }
  }

  #scalar(offset: number): JsonNode {
    for (const [word, value] of [
      ["true", true],
      ["false", false],
    ] as const) {
      if (this.#text.startsWith(word, offset)) {
        this.#at += word.length;
        return { kind: "boolean", offset, value };
      }
    }
    if (this.#text.startsWith("null", offset)) {
      this.#at += "null".length;
      return { kind: "null", offset };
    }
    const digits = this.#match(numeral);
    if (digits === undefined) return this.#unexpected("a value");
    return { kind: "number", offset, value: Number(digits) };
  }

  /** Takes a punctuation mark, with the blanks before it. */
  #take(mark: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #skip(): void {
    this.#match(blank);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  #unexpected(wanted: string): never {
    const found = this.#text[this.#at];
    const what = found === undefined ? "the end of the file" : JSON.stringify(found);
    throw new JsonFault(this.#at, `expected ${wanted}, found ${what}`);
  }
}
