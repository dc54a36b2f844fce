/**
 * Finding the place of a key in the TypeScript source of a module. Modules
 * know the place of their `defineModule` call only, which costs nothing; which
 * line an option stands on is looked up when somebody needs to be told.
 */

/** A position; lines and columns count from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

interface Token {
  readonly text: string;
  readonly at: number;
}

// Comments, strings, numbers, names, and single characters; what begins with one of those may go on.
const tokenPattern =
  /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\p{ID_Start}$_][\p{ID_Continue}$]*|\d[\w.]*|=>|\.\.\.|[^\s]/gu;

/** A regular expression, whose brackets and quotes mean nothing outside. */
const regularExpression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\p{ID_Continue}*/uy;

/** After one of these a slash divides. */
const operand = /[\p{ID_Continue}$"'`)\]}]$/u;
const operators: ReadonlySet<string> = new Set(["return", "typeof", "case", "in", "of", "void", "await", "yield"]);

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(tokenPattern);
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    let [token] = match;
    if (token.startsWith("//") || token.startsWith("/*")) continue;
    const before = tokens.at(-1)?.text ?? "";
    if (token === "/" && (operators.has(before) || !operand.test(before))) {
      regularExpression.lastIndex = match.index;
      token = regularExpression.exec(text)?.[0] ?? token;
      pattern.lastIndex = match.index + token.length;
    } else if (token === "`") {
      pattern.lastIndex = templateEnd(text, match.index);
      token = text.slice(match.index, pattern.lastIndex);
    }
    tokens.push({ text: token, at: match.index });
  }
  return tokens;
}

/** In a template, what may hold backquotes and braces that mean nothing. */
const opaque = /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/uy;

/** Where a template ends that begins at `start`; there may be others in its substitutions. */
function templateEnd(text: string, start: number): number {
  /** Of each template that is open, how many braces are open in its substitution; none in its own text. */
  const braces = [0];
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    const last = braces.length - 1;
    const open = braces[last] ?? 0;
    if (open > 0) {
      opaque.lastIndex = at;
      const [skipped] = opaque.exec(text) ?? [];
      if (skipped !== undefined) at += skipped.length - 1;
      else if (character === "{") braces[last] = open + 1;
      else if (character === "}") braces[last] = open - 1;
      else if (character === "`") braces.push(0);
    } else if (character === "\\") at++;
    else if (character === "$" && text[at + 1] === "{") {
      braces[last] = 1;
      at++;
    } else if (character === "`") {
      braces.pop();
      if (last === 0) return at + 1;
    }
  }
  return start + 1;
}

const tokenCache = new Map<string, readonly Token[]>();

function cachedTokens(text: string): readonly Token[] {
  let tokens = tokenCache.get(text);
  if (tokens === undefined) {
    if (tokenCache.size > 50) tokenCache.clear();
    tokens = tokensOf(text);
    tokenCache.set(text, tokens);
  }
  return tokens;
}

/** A half-open range of tokens. */
interface Region {
  readonly from: number;
  readonly to: number;
}

/**
 * The position of the key at `path` inside the call that begins at `start`,
 * and how many components of the path were found on the way.
 */
export function findInSource(
  text: string,
  start: SourcePosition,
  path: readonly string[],
): { readonly position: SourcePosition; readonly depth: number } | undefined {
  const tokens = cachedTokens(text);
  const offset = offsetOf(text, start);
  const first = tokens.findIndex((token) => token.at >= offset);
  if (first < 0) return undefined;
  const open = tokens.findIndex((token, index) => index >= first && token.text === "(");
  if (open < 0) return undefined;
  let region: Region = { from: open + 1, to: closing(tokens, open) };
  let found: number | undefined;
  let depth = 0;
  for (const key of path) {
    const property = findProperty(tokens, region, key);
    if (property === undefined) break;
    found = property.at;
    depth++;
    region = followName(tokens, property.value);
  }
  const token = found === undefined ? undefined : tokens[found];
  return token === undefined ? undefined : { position: positionOf(text, token.at), depth };
}

/** A property at the outermost braces of a region; calls around a record do not count. */
function findProperty(
  tokens: readonly Token[],
  region: Region,
  key: string,
): { readonly at: number; readonly value: Region } | undefined {
  let braces = 0;
  for (let index = region.from; index < region.to; index++) {
    const { text } = tokens[index] as Token;
    if (text === "{") braces++;
    else if (text === "}") braces--;
    else if (braces === 1 && keyText(text) === key) {
      const next = tokens[index + 1]?.text;
      const before = tokens[index - 1]?.text;
      if (before !== "{" && before !== ",") continue;
      if (next === ":") return { at: index, value: { from: index + 2, to: valueEnd(tokens, index + 2, region.to) } };
      if (next === "," || next === "}") return { at: index, value: { from: index, to: index + 1 } };
    }
  }
  return undefined;
}

function keyText(token: string): string {
  const [quote] = token;
  return quote === '"' || quote === "'" ? token.slice(1, -1).replaceAll(/\\(.)/gu, "$1") : token;
}

function valueEnd(tokens: readonly Token[], from: number, limit: number): number {
  let depth = 0;
  for (let index = from; index < limit; index++) {
    const text = tokens[index]?.text ?? "";
    if (depth === 0 && (text === "," || text === "}")) return index;
    if ("([{".includes(text)) depth++;
    else if (")]}".includes(text)) depth--;
  }
  return limit;
}

/** If a value is just a name, the value that the name was given in the same file. */
function followName(tokens: readonly Token[], region: Region): Region {
  const name = tokens[region.from]?.text ?? "";
  if (region.to - region.from !== 1 || !/^[\p{ID_Start}$_]/u.test(name)) return region;
  for (let index = 1; index < tokens.length; index++) {
    const before = tokens[index - 1]?.text;
    if (tokens[index]?.text === name && (before === "const" || before === "let")) {
      return { from: index + 1, to: statementEnd(tokens, index + 1) };
    }
  }
  return region;
}

function statementEnd(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let index = from; index < tokens.length; index++) {
    const text = tokens[index]?.text ?? "";
    if (depth === 0 && text === ";") return index;
    if ("([{".includes(text)) depth++;
    else if (")]}".includes(text)) depth--;
  }
  return tokens.length;
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    const text = tokens[index]?.text ?? "";
    if ("([{".includes(text)) depth++;
    else if (")]}".includes(text) && --depth === 0) return index;
  }
  return tokens.length;
}

function offsetOf(text: string, { line, column }: SourcePosition): number {
  let offset = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf("\n", offset);
    if (next < 0) return offset;
    offset = next + 1;
  }
  return offset + column - 1;
}

function positionOf(text: string, offset: number): SourcePosition {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
