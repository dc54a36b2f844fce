/** Where a key stands in the text of a TOML or JSON file. */

/** A position; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The position of the key at `path`, or of the closest key above it. */
export function findInJson(text: string, path: readonly string[]): Position | undefined {
  return positionAt(text, jsonKeyOffset(text, path));
}

function positionAt(text: string, offset: number | undefined): Position | undefined {
  if (offset === undefined) return undefined;
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** Walks the text once with a stack of keys; assumes that it parses. */
function jsonKeyOffset(text: string, path: readonly string[]): number | undefined {
  const stack: { key: string; index: number; isArray: boolean }[] = [];
  let best: { readonly depth: number; readonly offset: number } | undefined;
  let matched = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gu)) {
    const [word] = token;
    const top = stack[stack.length - 1];
    const after = text.slice(token.index + word.length).trimStart();
    if (word === "{" || word === "[") {
      stack.push({ key: "", index: 0, isArray: word === "[" });
      if (word === "[") (stack[stack.length - 1] as { key: string }).key = "0";
    } else if (word === "}" || word === "]") {
      stack.pop();
    } else if (word === "," && top?.isArray === true) {
      top.index++;
      top.key = String(top.index);
    } else if (word.startsWith('"') && after.startsWith(":") && top !== undefined) {
      top.key = JSON.parse(word) as string;
      const depth = stack.length;
      if (depth <= path.length && stack.every((level, at) => level.key === path[at]) && depth > matched) {
        matched = depth;
        best = { depth, offset: token.index };
        if (depth === path.length) return best.offset;
      }
    }
  }
  return best?.offset;
}

/** The position of the key at `path` in TOML, or of the closest table above it. */
export function findInToml(text: string, path: readonly string[]): Position | undefined {
  let table: readonly string[] = [];
  const arrays = new Map<string, number>();
  let best: { readonly depth: number; readonly position: Position } | undefined;
  const consider = (keys: readonly string[], position: Position): void => {
    let depth = 0;
    while (depth < keys.length && depth < path.length && keys[depth] === path[depth]) depth++;
    // A key that leaves the path is beside it, not above it.
    if (depth === 0 || (depth < keys.length && depth < path.length)) return;
    if (best === undefined || depth > best.depth) best = { depth, position };
  };
  let multiline: string | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (multiline !== undefined) {
      if (line.includes(multiline)) multiline = undefined;
      continue;
    }
    const header = /^(\s*)(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$/u.exec(line);
    if (header !== null && !line.includes("=")) {
      const keys = splitKey(header[3] ?? "");
      if (header[2] === "[[") {
        const name = keys.join("\0");
        const count = arrays.get(name) ?? 0;
        arrays.set(name, count + 1);
        table = [...keys, String(count)];
      } else {
        table = keys;
      }
      consider(table, {
        line: index + 1,
        column: line.length - line.trimStart().length + (header[2] ?? "").length + 1,
      });
      continue;
    }
    const assignment = /^(\s*)((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+|\s*\.\s*)+)\s*=\s*(.*)$/u.exec(line);
    if (assignment === null) continue;
    const column = (assignment[1] ?? "").length + 1;
    const keys = [...table, ...splitKey(assignment[2] ?? "")];
    consider(keys, { line: index + 1, column });
    considerInline(assignment[3] ?? "", keys, path, index + 1, line.length - (assignment[3] ?? "").length, consider);
    const quote = /("""|''')/u.exec(assignment[3] ?? "")?.[1];
    if (quote !== undefined && (assignment[3] ?? "").split(quote).length === 2) multiline = quote;
  }
  return best?.position;
}

/** Keys of an inline table: `a = { b = 1 }`. */
function considerInline(
  text: string,
  keys: readonly string[],
  path: readonly string[],
  line: number,
  start: number,
  consider: (keys: readonly string[], position: Position) => void,
): void {
  const wanted = path[keys.length];
  if (wanted === undefined || !text.includes("{")) return;
  const escaped = wanted.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  const found = new RegExp(`[{,]\\s*("?${escaped}"?)\\s*[=.]`, "u").exec(text);
  if (found !== null) {
    const offset = found.index + found[0].indexOf(found[1] ?? "");
    consider([...keys, wanted], { line, column: start + offset + 1 });
  }
}

function splitKey(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+)/gu)].map((match) =>
    match[1] === undefined ? (match[2] ?? match[3] ?? "") : (JSON.parse(`"${match[1]}"`) as string),
  );
}
