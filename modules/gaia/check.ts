/** Which keys of a document are options, which mean nothing, and which nobody knows. */
import { dataProblems, defineModule, evalModules, isOption, type JsonSchema } from "#lib/evaluator/index.ts";
import { neverReadKeys } from "../removed-options.ts";
import { acceptedKeys, unsupportedKeys } from "./accepted.ts";
import { type GaiaTree, isTable, type KeyPath, type Table } from "./tree.ts";

/**
 * Checks all keys and values of a document against `schema`, that of the options,
 * and takes out what means nothing. With leniency, what Gaia accepted without a
 * word is taken out as well, and warned of.
 */
export function checkKeys(tree: GaiaTree, schema: JsonSchema): void {
  for (const problem of tree.document.ignored) tree.tolerate(problem);
  for (const [name, reason] of Object.entries(unsupportedKeys)) {
    const path = name.split(".");
    const value = tree.value(path);
    if (value === undefined) continue;
    // Empty lists and tables ask for nothing.
    if (typeof value !== "object" || value === null || Object.keys(value).length > 0)
      tree.report({ path, problem: reason, suggestions: [] });
    tree.remove(path);
  }
  for (const [name, remedy] of Object.entries(neverReadKeys)) {
    for (const path of matches(tree, name.split("."))) {
      tree.tolerate({ path, problem: `Gaia itself never read this. ${remedy.replace(/\.$/, "")}`, suggestions: [] });
      tree.remove(path);
    }
  }
  takeAccepted(tree, schema);
  for (const problem of dataProblems(tree.config, schema)) {
    const { path, isUnknown = false } = problem;
    if (isUnknown) tree.tolerate(problem);
    else if (tree.legacy && isUnset(tree, path)) tree.warn(path, "an empty value is none; it is ignored");
    else {
      tree.report(problem);
      continue;
    }
    tree.remove(path);
  }
}

/** The paths of a document that a pattern fits, in which `*` is any key. */
function matches(tree: GaiaTree, [key, ...below]: KeyPath, above: KeyPath = []): readonly KeyPath[] {
  if (key === undefined) return [above];
  const table = tree.table(...above) ?? {};
  const keys = key === "*" ? Object.keys(table) : Object.hasOwn(table, key) ? [key] : [];
  return keys.flatMap((each) => matches(tree, below, [...above, each]));
}

/** Gaia takes an empty text for none, and a size of zero, and a compression that it does not know. */
function isUnset(tree: GaiaTree, path: KeyPath): boolean {
  const name = path.join(".");
  return tree.value(path) === "" || name === "buildroot.compression" || tree.value(path) === 0;
}

/** Takes keys without a meaning out, unless the options have come to know them. */
function takeAccepted(tree: GaiaTree, schema: JsonSchema): void {
  const taken: Table = {};
  const accepted = evalModules({ modules: [defineModule({ options: acceptedKeys })] }).schema;
  for (const path of leaves(acceptedKeys)) {
    const value = tree.value(path);
    if (value === undefined || isDeclared(schema, path)) continue;
    put(taken, path, value);
    tree.remove(path);
    // Tables that held nothing else go as well.
    for (let above = path.slice(0, -1); above.length > 0 && isEmpty(tree.table(...above)); above = above.slice(0, -1))
      tree.remove(above);
  }
  for (const problem of dataProblems(taken, accepted)) tree.report(problem);
}

function isEmpty(table: Table | undefined): boolean {
  return table !== undefined && Object.keys(table).length === 0;
}

function leaves(options: object, above: KeyPath = []): readonly KeyPath[] {
  return Object.entries(options).flatMap(([key, value]: [string, unknown]) => {
    const path = [...above, key];
    return isOption(value) ? [path] : typeof value === "object" && value !== null ? leaves(value, path) : [];
  });
}

function isDeclared(schema: JsonSchema, path: KeyPath): boolean {
  let at: unknown = schema;
  for (const key of path) {
    const properties: unknown = isTable(at) ? at["properties"] : undefined;
    if (!isTable(properties) || !Object.hasOwn(properties, key)) return false;
    at = properties[key];
  }
  return true;
}

function put(table: Table, path: KeyPath, value: unknown): void {
  const [key = "", ...below] = path;
  if (below.length === 0) {
    table[key] = value;
    return;
  }
  const existing = table[key];
  const inner: Table = isTable(existing) ? existing : {};
  table[key] = inner;
  put(inner, below, value);
}
