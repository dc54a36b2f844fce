/** Reads the text of JSON for what `JSON.parse` does not tell: where its keys stand, which come twice, where it ends to be JSON. */
import { deepest, definedAlready, KeyPositions, Lines, type Position, type TextProblem } from "./data-places.ts";

const content = String.raw`"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*`;
const token = new RegExp(
  `(?<string>${content}")|(?<scalar>-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null)|[{}[\\],:]`,
  "uy",
);
const openString = new RegExp(content, "uy");
const blank = /[ \t\r\n]*/uy;

/** An object or an array that is open. */
interface Container {
  readonly path: readonly string[];
  /** The keys of an object so far. */
  readonly names: Map<string, Position> | undefined;
  key: string;
  index: number;
}

/** What may come next. */
type Expected = "value" | "first element" | "key" | "first key" | "colon" | "next" | "end";

/** What a text holds. */
export interface JsonText {
  readonly keys: KeyPositions;
  /** Keys that their object has already. */
  readonly repeated: readonly TextProblem[];
  /** Where the text is not JSON; nothing after it is read. */
  readonly fault: TextProblem | undefined;
}

/** Reads JSON, as RFC 8259 has it. */
export function readJson(text: string): JsonText {
  const keys = new KeyPositions();
  const repeated: TextProblem[] = [];
  const lines = new Lines(text);
  const stack: Container[] = [];
  let expected: Expected = "value";
  for (let offset = skip(text, 0); ; offset = skip(text, token.lastIndex)) {
    const top = stack.at(-1);
    token.lastIndex = offset;
    const match = token.exec(text);
    const next: Expected | undefined = match === null ? undefined : after(expected, top, match);
    if (match === null || next === undefined) {
      if (match === null && offset === text.length && expected === "end") return { keys, repeated, fault: undefined };
      const { at, problem } = faultAt(text, offset, expected, top);
      return { keys, repeated, fault: { path: [], problem, position: lines.at(at) } };
    }
    const [word] = match;
    if (top?.names !== undefined && next === "colon") {
      top.key = JSON.parse(word) as string;
      const key = { path: below(top), position: lines.at(offset) };
      const first = top.names.get(top.key);
      if (first === undefined) top.names.set(top.key, key.position);
      else repeated.push({ ...key, problem: definedAlready(first) });
      if (stack.length <= deepest) keys.add(key);
    } else if (word === "{" || word === "[") {
      stack.push({ path: below(top), names: word === "{" ? new Map() : undefined, key: "", index: 0 });
    } else if (word === "}" || word === "]") {
      stack.pop();
    } else if (word === "," && top !== undefined) {
      top.index++;
    }
    expected = next === "next" && stack.length === 0 ? "end" : next;
  }
}

/** The path of what is being written in a container. */
function below(top: Container | undefined): readonly string[] {
  if (top === undefined) return [];
  return top.path.length >= deepest ? top.path : [...top.path, top.names === undefined ? String(top.index) : top.key];
}

function skip(text: string, from: number): number {
  blank.lastIndex = from;
  blank.exec(text);
  return blank.lastIndex;
}

/** What is expected after a token; undefined if the token itself is not. */
function after(expected: Expected, top: Container | undefined, match: RegExpExecArray): Expected | undefined {
  const [word] = match;
  const isString = match.groups?.["string"] !== undefined;
  switch (expected) {
    case "first element":
    case "value":
      if (word === "]") return expected === "first element" ? "next" : undefined;
      if (word === "{") return "first key";
      if (word === "[") return "first element";
      return isString || match.groups?.["scalar"] !== undefined ? "next" : undefined;
    case "first key":
    case "key":
      if (word === "}") return expected === "first key" ? "next" : undefined;
      return isString ? "colon" : undefined;
    case "colon":
      return word === ":" ? "value" : undefined;
    case "next":
      if (word === ",") return top?.names === undefined ? "value" : "key";
      return word === (top?.names === undefined ? "]" : "}") ? "next" : undefined;
    case "end":
      return undefined;
    default:
      return expected satisfies never;
  }
}

const expectations: Readonly<Record<Expected, string>> = {
  value: "a value",
  "first element": "a value or ']'",
  key: "a key in double quotes",
  "first key": "a key in double quotes or '}'",
  colon: "':' after the key",
  next: "',' or",
  end: "nothing more",
};

function faultAt(
  text: string,
  offset: number,
  expected: Expected,
  top: Container | undefined,
): { readonly at: number; readonly problem: string } {
  openString.lastIndex = offset;
  if (text[offset] === '"' && openString.exec(text) !== null && text[openString.lastIndex] !== '"') {
    const at = openString.lastIndex;
    if (at === text.length) return { at: offset, problem: "this string has no end" };
    if (text[at] === "\\") return { at, problem: `there is no escape '${text.slice(at, at + 2)}' in JSON` };
    return { at, problem: "a string is in one line, and has control characters only as escapes" };
  }
  const closing = expected === "next" ? ` '${top?.names === undefined ? "]" : "}"}'` : "";
  const [found = ""] = /^(?:[\w.+-]{1,40}|.)/su.exec(text.slice(offset, offset + 40)) ?? [];
  const shown = found === "" ? "the end of the file" : `'${found}'`;
  return { at: offset, problem: `expected ${expectations[expected]}${closing}, not ${shown}` };
}
