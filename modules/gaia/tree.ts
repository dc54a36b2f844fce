/** A Gaia document while it is being made into a module: its tables, and what is found wrong with them. */
import { dirname, isAbsolute, join, normalize } from "node:path";
import { EvaluationError, type PlacedDataProblem, type Place, showPlace } from "#lib/evaluator/index.ts";
import { workspacePath, workspaceProblem } from "../workspace.ts";
import type { GaiaDocument } from "./document.ts";

/** A table of a document. */
export type Table = Record<string, unknown>;

/** A path of keys and list positions in a document. */
export type KeyPath = readonly string[];

/** A document that may be changed, with its problems and warnings. */
export class GaiaTree {
  readonly document: GaiaDocument;
  readonly legacy: boolean;
  /** A copy of the document's tables. */
  readonly config: Table;
  readonly warnings: string[] = [];
  private readonly problems: PlacedDataProblem[] = [];

  constructor(document: GaiaDocument, legacy: boolean) {
    this.document = document;
    this.legacy = legacy;
    this.config = structuredClone(document.config);
  }

  /** Notes a mistake. */
  report(problem: PlacedDataProblem): void {
    // An empty value may be allowed, and yet is nothing to write.
    const suggestions = problem.suggestions.filter((each) => each !== "");
    this.problems.push({ ...problem, suggestions, ...this.placeOf(problem.path) });
  }

  /** Notes what Gaia accepted without a word: a warning with `--legacy`, else a mistake. */
  tolerate(problem: PlacedDataProblem, consequence = "it is ignored"): void {
    if (!this.legacy) return this.report(problem);
    this.warn(problem.path, `${problem.problem}; ${consequence}`);
  }

  /** Notes what is different here, and yet no mistake. */
  warn(path: KeyPath, text: string): void {
    const place = this.placeOf(path);
    this.warnings.push(`${place === undefined ? "" : `${showPlace(place)}: `}${path.join(".")}: ${text}.`);
  }

  placeOf(path: KeyPath): Place | undefined {
    return this.document.placeOf(path);
  }

  /** @throws EvaluationError with everything that was reported. */
  throwProblems(): void {
    if (this.problems.length > 0)
      throw new EvaluationError({ reason: "bad-data", file: this.document.file, problems: this.problems });
  }

  /** The table at a path. */
  table(...path: KeyPath): Table | undefined {
    const value = this.value(path);
    return isTable(value) ? value : undefined;
  }

  /** The tables of the array at a path, each with its own path. */
  tables(...path: KeyPath): readonly (readonly [KeyPath, Table])[] {
    const value = this.value(path);
    if (!Array.isArray(value)) return [];
    return (value as readonly unknown[]).flatMap((each, index) =>
      isTable(each) ? [[[...path, String(index)], each] as const] : [],
    );
  }

  /** The tables that the table at a path holds, in order of their keys. */
  entries(...path: KeyPath): readonly (readonly [string, Table])[] {
    return Object.entries(this.table(...path) ?? {})
      .filter((entry): entry is [string, Table] => isTable(entry[1]))
      .sort(([left], [right]) => (left < right ? -1 : 1));
  }

  /** The value at a path, through lists too. */
  value(path: KeyPath): unknown {
    let value: unknown = this.config;
    for (const key of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
      value = Reflect.get(value, key);
    }
    return value;
  }

  /** Removes a key, if it is there. Elements of lists stay where they are: their positions are their names. */
  remove(path: KeyPath): void {
    const holder = this.value(path.slice(0, -1));
    const key = path.at(-1);
    if (isTable(holder) && key !== undefined) Reflect.deleteProperty(holder, key);
  }

  /** The absolute form of a local path of this document; undefined, and a problem, when there is none. */
  resolve(path: string, at: KeyPath): string | undefined {
    const { root_dir, paths } = this.workspace;
    const resolved = workspacePath({ root_dir, paths }, path);
    if (resolved === undefined)
      this.report({
        path: at,
        problem: workspaceProblem({ root_dir, paths }, path).replace(/\.$/, ""),
        suggestions: [],
      });
    return resolved;
  }

  /** Where local paths start. */
  private get workspace(): { readonly root_dir: string | null; readonly paths: Readonly<Record<string, string>> } {
    const { root_dir, paths } = this.table("workspace") ?? {};
    return {
      root_dir: typeof root_dir === "string" ? root_dir : null,
      paths: isTable(paths) ? (paths as Record<string, string>) : {},
    };
  }
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string that says something: Gaia takes an empty one for none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/**
 * The absolute form of `workspace.root_dir`. In Gaia a relative one starts where
 * the command is run. Here that place is found from the file, so that a build is
 * the same wherever it is run: the closest directory from the top of the tree
 * upwards that has the file below the root. Files in `configs/builds`, where
 * Gaia looks for builds, and in `configs` are taken to be in the directory above.
 */
export function workspaceRoot(file: string, root_dir: string): string | undefined {
  if (isAbsolute(root_dir)) return normalize(root_dir);
  const within = dirname(file);
  let directory = within.replace(/\/configs(\/builds(\/.*)?)?$/, "") || "/";
  for (;;) {
    const root = join(directory, root_dir).replace(/(?<=.)\/$/, "");
    if (root === "/" || within === root || within.startsWith(`${root}/`)) return root;
    if (directory === "/") return undefined;
    directory = dirname(directory);
  }
}
