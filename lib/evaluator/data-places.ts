/** Where the keys of a TOML or JSON file stand in its text. Read once, so that many questions cost no more than one. */

/** A position; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A key as it is written: the whole path of what it names, and for TOML the text of its value. */
interface WrittenKey {
  readonly position: Position;
  readonly value?: { readonly text: string; readonly column: number };
}

/** The keys of a text, in the order in which they are written. */
export class KeyPositions {
  private readonly exact = new Map<string, WrittenKey>();
  /** The first key that a table, which may have no line of its own, is written by. */
  private readonly below = new Map<string, WrittenKey>();

  /** Notes a key; of two at one path, the first counts. */
  add(path: readonly string[], key: WrittenKey): void {
    let prefix = "";
    for (const [index, name] of path.entries()) {
      prefix = index === 0 ? name : `${prefix}\0${name}`;
      if (!this.below.has(prefix)) this.below.set(prefix, key);
    }
    if (!this.exact.has(prefix)) this.exact.set(prefix, key);
  }

  /** The position of the key at `path`, or of the closest key or table above it. */
  find(path: readonly string[]): Position | undefined {
    const whole = this.below.get(path.join("\0"));
    if (whole !== undefined) return whole.position;
    for (let depth = path.length; depth > 0; depth--) {
      const found = this.exact.get(path.slice(0, depth).join("\0"));
      if (found !== undefined) return inInlineTable(found, path[depth]) ?? found.position;
    }
    return undefined;
  }
}

/** The position of a key of an inline table: `a = { b = 1 }`. */
function inInlineTable({ position, value }: WrittenKey, key: string | undefined): Position | undefined {
  if (key === undefined || value === undefined || !value.text.includes("{")) return undefined;
  const escaped = key.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  const found = new RegExp(`[{,]\\s*("?${escaped}"?)\\s*[=.]`, "u").exec(value.text);
  if (found === null) return undefined;
  return { line: position.line, column: value.column + found.index + found[0].indexOf(found[1] ?? "") };
}

/** Walks JSON with a stack of keys; assumes that it parses. */
export function keysOfJson(text: string): KeyPositions {
  const keys = new KeyPositions();
  const stack: { key: string; index: number; readonly isArray: boolean }[] = [];
  let line = 1;
  let lineStart = 0;
  let last = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/gu)) {
    const [word, colon] = token;
    for (let end = text.indexOf("\n", last); end !== -1 && end < token.index; end = text.indexOf("\n", last)) {
      line++;
      lineStart = end + 1;
      last = end + 1;
    }
    const top = stack.at(-1);
    if (word === "{" || word === "[") {
      stack.push({ key: word === "[" ? "0" : "", index: 0, isArray: word === "[" });
    } else if (word === "}" || word === "]") {
      stack.pop();
    } else if (word === "," && top?.isArray === true) {
      top.index++;
      top.key = String(top.index);
    } else if (colon !== undefined && top !== undefined) {
      top.key = JSON.parse(word.slice(0, -colon.length)) as string;
      keys.add(
        stack.map(({ key }) => key),
        { position: { line, column: token.index - lineStart + 1 } },
      );
    }
  }
  return keys;
}

/** Reads TOML line by line; assumes that it parses. */
export function keysOfToml(text: string): KeyPositions {
  const keys = new KeyPositions();
  let table: readonly string[] = [];
  const arrays = new Map<string, number>();
  let multiline: string | undefined;
  for (const [index, line] of text.split(/\r?\n/u).entries()) {
    if (multiline !== undefined) {
      if (line.includes(multiline)) multiline = undefined;
      continue;
    }
    const header = /^(\s*)(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$/u.exec(line);
    if (header !== null && !line.includes("=")) {
      const path = splitKey(header[3] ?? "");
      if (header[2] === "[[") {
        const name = path.join("\0");
        const count = arrays.get(name) ?? 0;
        arrays.set(name, count + 1);
        table = [...path, String(count)];
      } else {
        table = path;
      }
      const column = line.length - line.trimStart().length + (header[2] ?? "").length + 1;
      keys.add(table, { position: { line: index + 1, column } });
      continue;
    }
    const assignment = /^(\s*)((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+|\s*\.\s*)+)\s*=\s*(.*)$/u.exec(line);
    if (assignment === null) continue;
    const value = assignment[3] ?? "";
    keys.add([...table, ...splitKey(assignment[2] ?? "")], {
      position: { line: index + 1, column: (assignment[1] ?? "").length + 1 },
      value: { text: value, column: line.length - value.length + 1 },
    });
    const quote = /("""|''')/u.exec(value)?.[1];
    if (quote !== undefined && value.split(quote).length === 2) multiline = quote;
  }
  return keys;
}

function splitKey(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+)/gu)].map((match) =>
    match[1] === undefined ? (match[2] ?? match[3] ?? "") : (JSON.parse(`"${match[1]}"`) as string),
  );
}
