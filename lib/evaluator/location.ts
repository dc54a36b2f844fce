/** Where an option stands: a path, kept as a chain so that making one costs a single object. */

/** One component of an option path and the way up. */
export interface Location {
  readonly up: Location | undefined;
  readonly key: string;
}

/** A path from the root. */
export type OptionPath = readonly string[];

/** All components, outermost first. */
export function pathOf(location: Location | undefined): OptionPath {
  const path: string[] = [];
  for (let at = location; at !== undefined; at = at.up) path.push(at.key);
  return path.reverse();
}

/** A location for a path written out. */
export function locationOf(path: OptionPath): Location | undefined {
  let at: Location | undefined;
  for (const key of path) at = { up: at, key };
  return at;
}

const identifier = /^[a-zA-Z_][a-zA-Z0-9_'-]*$/u;
const keywords = new Set(["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"]);

/** One component as it is written in a path: quoted unless an identifier or a placeholder. */
export function showComponent(key: string): string {
  if (key === "*" || (key.startsWith("<") && key.endsWith(">"))) return key;
  if (identifier.test(key) && !keywords.has(key)) return key;
  return `"${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("${", "\\${")}"`;
}

/** A path as users write it: `a."b.c".d`. */
export function showOption(path: OptionPath): string {
  return path.map(showComponent).join(".");
}

/** The written path of a location. */
export function showLocation(location: Location | undefined): string {
  return showOption(pathOf(location));
}
