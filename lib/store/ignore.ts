/** One line of an ignore file. */
interface Rule {
  readonly keep: boolean;
  readonly directoriesOnly: boolean;
  readonly expression: RegExp;
}

/**
 * The rules of one ignore file (gitignore(5)), for paths relative to the
 * directory that holds it. Undefined means that it says nothing about a path.
 */
export function ignoreRules(text: string): (path: string, directory: boolean) => "ignored" | "kept" | undefined {
  const rules = text.split(/\r?\n/).flatMap(parseRule);
  return (path, directory) => {
    const rule = rules.findLast((rule) => (directory || !rule.directoriesOnly) && rule.expression.test(path));
    return rule === undefined ? undefined : rule.keep ? "kept" : "ignored";
  };
}

function parseRule(line: string): readonly Rule[] {
  // Blanks at the end count only behind a backslash.
  let pattern = line.replace(/(?<!\\)[ \t]+$/, "");
  if (pattern === "" || pattern.startsWith("#")) return [];
  const keep = pattern.startsWith("!");
  if (keep) pattern = pattern.slice(1);
  const directoriesOnly = pattern.endsWith("/");
  if (directoriesOnly) pattern = pattern.slice(0, -1);
  if (pattern === "") return [];
  // A slash at the start or in the middle ties the pattern to this directory.
  const anchored = pattern.includes("/");
  const source = translate(pattern.replace(/^\//, ""));
  return [{ keep, directoriesOnly, expression: new RegExp(`^${anchored ? "" : "(?:.*/)?"}${source}$`, "su") }];
}

/** `**` counts only as a whole component; elsewhere it is a `*`. */
function translate(pattern: string): string {
  const tokens = /(?<=^|\/)\*\*\/|(?<=^|\/)\*\*$|\*+|\?|\[!?\]?[^\]]*\]|\\.|[^]/gsu;
  return pattern.replace(tokens, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**" && /(?:^|\/)\*\*$/.test(pattern)) return ".*";
    if (token.startsWith("*")) return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("[") && token.length > 2) return characterClass(token);
    return escape(token.startsWith("\\") && token.length > 1 ? token.slice(1) : token);
  });
}

function characterClass(token: string): string {
  const negated = token[1] === "!" || token[1] === "^";
  const members = token.slice(negated ? 2 : 1, -1).replace(/[\\\][^&~|]/g, "\\$&");
  return `(?!/)[${negated ? "^" : ""}${members}]`;
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
