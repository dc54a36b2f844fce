/**
 * Text of systemd unit files, as systemd.syntax(7) defines it: sections in
 * brackets, one `Directive=value` a line, a list as repeated lines.
 */

/** One directive's value; null and an empty list leave the directive out. */
export type DirectiveValue = string | number | boolean | null | readonly (string | number | boolean)[];

/** Directives of one section, in the order in which they are to be written. */
export type Section = Readonly<Record<string, DirectiveValue>>;

/** Sections by name ("Unit", "Service", …), in the order in which they are to be written; a list repeats the section. */
export type UnitSections = Readonly<Record<string, Section | readonly Section[]>>;

/**
 * Renders a unit file. Sections without a directive are left out.
 * Throws a RangeError when a name or a value would change the file's structure.
 */
export function renderUnit(sections: UnitSections): string {
  const blocks: string[] = [];
  for (const [name, content] of Object.entries(sections)) {
    for (const section of Array.isArray(content) ? (content as readonly Section[]) : [content as Section]) {
      const lines = Object.entries(section).flatMap(([directive, value]) => renderDirective(name, directive, value));
      if (lines.length > 0) blocks.push(`[${name}]\n${lines.join("\n")}\n`);
    }
  }
  return blocks.join("\n");
}

function renderDirective(section: string, directive: string, value: DirectiveValue): string[] {
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(directive)) {
    throw new RangeError(
      `[${section}] cannot have a directive named '${directive}': a name has only letters and digits`,
    );
  }
  if (value === null) return [];
  const values = Array.isArray(value) ? value : [value as string | number | boolean];
  return values.map((item) => `${directive}=${renderValue(section, directive, item)}`);
}

function renderValue(section: string, directive: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = String(value);
  if (/[\n\r\0]/.test(text) || text.endsWith("\\")) {
    throw new RangeError(
      `[${section}] ${directive}= cannot hold a line break, a NUL or a final backslash: ${JSON.stringify(text)}. Give a list to write the directive several times.`,
    );
  }
  return text;
}

/**
 * One assignment for `Environment=`: quoted when systemd would otherwise split
 * it, with `%` doubled so that it is not a specifier.
 */
export function renderAssignment(name: string, value: string): string {
  const literal = `${name}=${value}`.replaceAll("%", "%%");
  if (!/[\s"'\\]/.test(literal)) return literal;
  return `"${literal.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

/**
 * An environment file as `EnvironmentFile=` reads it: `KEY=value` lines in key
 * order; a value stays bare when it has only letters, digits and `_-./:+,@`.
 */
export function renderEnvironmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.keys(variables)
    .sort()
    .map((name) => `${name}=${quoteEnvironmentValue(variables[name] ?? "")}\n`)
    .join("");
}

function quoteEnvironmentValue(value: string): string {
  return /^[A-Za-z0-9_\-./:+,@]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
