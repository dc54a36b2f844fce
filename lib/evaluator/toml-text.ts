/** Where the keys of a TOML text stand, and what is wrong with one that does not parse. */
import { deepest, definedAlready, KeyPositions, Lines, type TextProblem, type WrittenKey } from "./data-places.ts";

const token =
  /#[^\n]*|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{3,5}|'''[^']*(?:'(?!'')[^']*)*'{3,5}|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\n]*'|[\w+:-]+|[[\]{}=,.\n]/gsu;

/** What is open at a place of the text: the file with its current table, an inline table or an array. */
interface Container {
  path: readonly string[];
  readonly isArray: boolean;
  index: number;
  /** The parts of the key that is being written. */
  parts: string[];
  start: number;
  /** Brackets around that key: two for the element of an array of tables. */
  brackets: number;
  isValue: boolean;
  /** The key that was written last. */
  key: WrittenKey | undefined;
}

const container = (path: readonly string[], isArray: boolean): Container => ({
  path,
  isArray,
  index: 0,
  parts: [],
  start: 0,
  brackets: 0,
  isValue: isArray,
  key: undefined,
});

/** The keys of a text. Assumes that it parses. */
export function keysOfToml(text: string): KeyPositions {
  return readToml(text).keys;
}

/** Reads a text, or the beginning of one: all keys, and the one that is being defined at its end. */
function readToml(text: string): { readonly keys: KeyPositions; readonly last: WrittenKey | undefined } {
  const keys = new KeyPositions();
  const lines = new Lines(text);
  const arrays = new Map<string, number>();
  const root = container([], false);
  const stack = [root];
  const top = (): Container => stack.at(-1) ?? root;

  const noted = ({ path, parts, start }: Container): WrittenKey => ({
    path: path.length >= deepest ? path : [...path, ...parts.slice(0, deepest)],
    position: lines.at(start),
  });
  const restart = (at: Container): void => {
    at.parts = [];
    at.brackets = 0;
    at.isValue = at.isArray;
  };
  /** Of a header's table, the path in the data: what a name stands for that is an array is its last element. */
  const inArrays = (parts: readonly string[]): readonly string[] => {
    const path: string[] = [];
    for (const part of parts.slice(0, deepest)) {
      const count = arrays.size === 0 ? undefined : arrays.get(path.join("\0"));
      if (count !== undefined) path.push(String(count - 1));
      path.push(part);
    }
    return path;
  };
  const header = ({ parts, start, brackets }: Container): WrittenKey => {
    let path = inArrays(parts);
    if (brackets > 1) {
      const name = path.join("\0");
      const count = arrays.get(name) ?? 0;
      arrays.set(name, count + 1);
      path = [...path, String(count)];
    }
    return { path, position: lines.at(start) };
  };

  for (const { 0: word, index } of text.matchAll(token)) {
    const at = top();
    if (word.startsWith("#")) continue;
    if (word === "\n") {
      if (at === root) restart(root);
    } else if (at.isValue) {
      if (word === "{" || word === "[") {
        const path = at.isArray ? [...at.path, String(at.index)] : (at.key?.path ?? []);
        stack.push(container(stack.length > deepest ? at.path : path, word === "["));
      } else if ((word === "}" || word === "]") && stack.length > 1) {
        stack.pop();
      } else if (word === ",") {
        at.index++;
        restart(at);
      }
    } else if (word === "[") {
      at.brackets++;
    } else if (word === "]") {
      if (at.parts.length > 0) {
        at.key = header(at);
        at.path = at.key.path;
        keys.add(at.key);
      }
      restart(at);
    } else if (word === "=") {
      at.key = noted(at);
      at.isValue = true;
      if (stack.length <= deepest) keys.add(at.key);
    } else if (word === "}") {
      stack.pop();
    } else if (word === ",") {
      restart(at);
    } else if (word !== ".") {
      if (at.parts.length === 0) at.start = index;
      at.parts.push(keyOf(word));
    }
  }
  const { parts, brackets, start, key } = top();
  return { keys, last: brackets > 0 ? { path: inArrays(parts), position: lines.at(start) } : key };
}

function keyOf(word: string): string {
  if (word.startsWith("'")) return word.slice(1, -1);
  if (!word.startsWith('"')) return word;
  const escapes: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r" };
  return word
    .slice(1, -1)
    .replaceAll(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gu, (_, short?: string, long?: string, letter = "") => {
      const digits = short ?? long;
      return digits === undefined ? (escapes[letter] ?? letter) : String.fromCodePoint(Number.parseInt(digits, 16));
    });
}

/** What @iarna/toml throws; `pos` is the number of code units that it has read. */
interface ParserFailure {
  readonly message: string;
  readonly pos?: number;
}

/** What the parser's complaint is about; undefined if it does not say where it stands. */
export function problemOfToml(text: string, { message, pos }: ParserFailure): TextProblem | undefined {
  if (pos === undefined) return undefined;
  const offset = Math.max(0, pos - 1);
  const told = (message.split("\n")[0] ?? "").replace(/ at row \d+, col \d+, pos \d+:$/u, "");
  // The parser notices at the end of the definition, and says neither what is defined nor where it was before.
  const again = /^Can't (?:redefine|extend an inline (array|table))/u.exec(told);
  const { keys, last } = again === null ? {} : readToml(text.slice(0, offset));
  if (again === null || last === undefined || keys === undefined)
    return { path: [], problem: readable(told), position: new Lines(text).at(offset) };
  for (let depth = last.path.length; depth > 0; depth--) {
    const path = last.path.slice(0, depth);
    const first = keys.first(path);
    if (first === undefined || (first.line === last.position.line && first.column === last.position.column)) continue;
    if (again[1] !== undefined)
      return { ...last, problem: `it is an inline ${again[1]}, of line ${first.line}, that nothing can be added to` };
    if (depth === last.path.length) return { ...last, problem: definedAlready(first) };
    return {
      ...last,
      problem: `'${path.join(".")}' is defined already, in line ${first.line}, and cannot be added to`,
    };
  }
  return { ...last, problem: "it is defined already" };
}

/** Names characters that the parser gives the numbers of. */
function readable(problem: string): string {
  return problem.replace(/^(Unknown (?:escape )?character):? "?(\d+)"?$/u, (_, what: string, digits: string) => {
    const code = Number(digits);
    if (code > 0x10ffff) return `${what}, the end of the file`;
    const character = String.fromCodePoint(code);
    return /[\p{C}\p{Z}]/u.test(character)
      ? `${what} U+${code.toString(16).toUpperCase().padStart(4, "0")}`
      : `${what} '${character}'`;
  });
}
