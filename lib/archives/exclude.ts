/**
 * Decides by a list of patterns which paths a layer leaves out.
 *
 * A pattern names a path from the root ("usr/share/doc"), with or without a
 * leading slash, and stands for everything below it too. `*` and `?` stop at a
 * slash, `**` does not. The last pattern that matches decides, and one that
 * starts with `!` keeps what an earlier one left out:
 *
 *     ["usr/lib/linux-image-*", "!usr/lib/linux-image-*\/broadcom"]
 */
export function excluder(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const rules = patterns.map((pattern) => {
    const keep = pattern.startsWith("!");
    return { keep, expression: translate(keep ? pattern.slice(1) : pattern) };
  });
  return (path) => {
    const rule = rules.findLast((rule) => rule.expression.test(path));
    return rule !== undefined && !rule.keep;
  };
}

function translate(pattern: string): RegExp {
  const source = pattern.replace(/^\/+|\/+$/g, "").replace(/\*\*\/|\*\*|[*?]|[.+^${}()|[\]\\]/g, (token) => {
    switch (token) {
      case "**/":
        return "(?:.*/)?";
      case "**":
        return ".*";
      case "*":
        return "[^/]*";
      case "?":
        return "[^/]";
      default:
        return `\\${token}`;
    }
  });
  return new RegExp(`^${source}(?:/.*)?$`, "su");
}
