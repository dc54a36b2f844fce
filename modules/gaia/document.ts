/**
 * A Gaia tree as one document: `extends`, `imports` at every table, and the
 * merging of files, with the place of each key. Reads files, and nothing else.
 */
import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import {
  decodeUtf8,
  EvaluationError,
  keyFinder,
  parseData,
  type Place,
  type PlacedDataProblem,
} from "#lib/evaluator/index.ts";
import { readContent, unreadable } from "../local-files/local-file.ts";

/** What a tree of files says. */
export interface GaiaDocument {
  /** The file that the reading started at, absolute. */
  readonly file: string;
  /** The merged tables. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Where the key at a path was written last, or the closest key above it. */
  readonly placeOf: (path: readonly string[]) => Place | undefined;
  /** What the original read over without a word, in the order of reading. */
  readonly ignored: readonly PlacedDataProblem[];
}

/** A configuration is what people write; what is larger than this is something else. */
const limits = { keys: 100_000, depth: 100 };

interface SourceFile {
  readonly file: string;
  readonly find: ReturnType<typeof keyFinder>;
}

/** Where something was written: a file, and the path in its own tables. */
interface Origin {
  readonly source: SourceFile;
  readonly path: readonly string[];
}

interface Table {
  readonly origin: Origin;
  readonly entries: ReadonlyMap<string, Table | Leaf>;
  /** All keys in it and below. */
  readonly size: number;
}

interface Leaf {
  readonly origin: Origin;
  readonly value: unknown;
}

/**
 * Reads a file with all that it extends and imports.
 *
 * In one file, the keys that it writes win over its imports, later imports win
 * over earlier ones, and all win over what it extends. Tables merge; everything
 * else, arrays too, is replaced. What a table imports is merged into that table,
 * below all that is there already. Paths start at the file that they stand in.
 *
 * @throws EvaluationError `bad-data` for files that are missing, too large,
 * broken or import themselves, with the place that names them.
 */
export function readGaia(file: string): GaiaDocument {
  const reader = new Reader();
  const root = reader.load(file, undefined);
  return {
    file,
    config: plain(root) as Record<string, unknown>,
    placeOf: (path) => placeIn(root, path),
    ignored: reader.ignored,
  };
}

class Reader {
  readonly ignored: PlacedDataProblem[] = [];
  private readonly loaded = new Map<string, Table>();
  /** The files that are being read, each named by the one before it. */
  private readonly active: string[] = [];

  load(file: string, named: Origin | undefined): Table {
    const canonical = told(file, named, () => canonicalPath(file));
    const known = this.loaded.get(canonical);
    if (known !== undefined) return known;
    if (this.active.includes(canonical)) {
      const chain = [...this.active.slice(this.active.indexOf(canonical)), canonical];
      throw failure(named, file, `this makes a cycle of files: ${chain.join(" → ")}`);
    }
    if (this.active.length >= limits.depth)
      throw failure(named, file, `more than ${limits.depth} files import each other in a chain`);
    this.active.push(canonical);
    const text = decodeUtf8(
      file,
      told(file, named, () => readContent(file)),
    );
    const source = { file, find: keyFinder(file, text) };
    const { extends: parent, ...data } = parseData(file, text);
    const table = this.inline(tableOf(source, data, []), source);
    const whole = parent === undefined ? table : this.extended(parent, table, source);
    this.active.pop();
    this.loaded.set(canonical, whole);
    return whole;
  }

  private extended(parent: unknown, table: Table, source: SourceFile): Table {
    if (typeof parent === "string")
      return merged(this.load(resolveFrom(source.file, parent), at(source, ["extends"])), table);
    this.ignore(at(source, ["extends"]), "extends must be the path of one file");
    return table;
  }

  /** Puts what a table and the tables in it import below what is there. */
  private inline(table: Table, source: SourceFile): Table {
    const entries = new Map(table.entries);
    const imports = entries.get("imports");
    entries.delete("imports");
    let whole: Table = { ...table, entries };
    if (imports !== undefined) {
      const imported = this.importsOf(imports, source).map(({ path, origin }) =>
        this.load(resolveFrom(source.file, path), origin),
      );
      const [first, ...others] = [...imported, whole];
      whole = others.reduce((below, above) => merged(below, above), first ?? whole);
    }
    // Tables that came from other files have had their imports put in already.
    const inlined = [...whole.entries].map(([key, value]): readonly [string, Table | Leaf] => [
      key,
      "entries" in value ? this.inline(value, source) : value,
    ]);
    return sized(whole.origin, new Map(inlined));
  }

  private importsOf(
    imports: Table | Leaf,
    source: SourceFile,
  ): readonly { readonly path: string; readonly origin: Origin }[] {
    if ("entries" in imports || !Array.isArray(imports.value)) {
      this.ignore(imports.origin, "imports must be a list of paths");
      return [];
    }
    return (imports.value as readonly unknown[]).flatMap((path, index) => {
      const origin = at(source, [...imports.origin.path, String(index)]);
      if (typeof path !== "string") throw failure(origin, source.file, "imports must be a list of paths");
      if (path.trim() !== "") return [{ path: path.trim(), origin }];
      this.ignore(origin, "an import is empty");
      return [];
    });
  }

  private ignore(origin: Origin, problem: string): void {
    this.ignored.push({ path: origin.path, problem, suggestions: [], ...placeOf(origin) });
  }
}

function at(source: SourceFile, path: readonly string[]): Origin {
  return { source, path };
}

function tableOf(source: SourceFile, data: Readonly<Record<string, unknown>>, path: readonly string[]): Table {
  if (path.length > limits.depth)
    throw failure(at(source, path), source.file, `tables are nested more than ${limits.depth} deep`);
  const entries = Object.entries(data).map(([key, value]): readonly [string, Table | Leaf] => {
    const below = [...path, key];
    return [key, isTable(value) ? tableOf(source, value, below) : { origin: at(source, below), value }];
  });
  return sized(at(source, path), new Map(entries));
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Files that import each other twice would otherwise double with each level. */
function sized(origin: Origin, entries: ReadonlyMap<string, Table | Leaf>): Table {
  let size = 0;
  for (const value of entries.values()) size += "entries" in value ? value.size + 1 : 1;
  if (size > limits.keys)
    throw failure(origin, origin.source.file, `the merged document has more than ${limits.keys} keys`);
  return { origin, entries, size };
}

function merged(below: Table, above: Table): Table {
  const entries = new Map(below.entries);
  for (const [key, value] of above.entries) {
    const existing = entries.get(key);
    entries.set(
      key,
      existing !== undefined && "entries" in existing && "entries" in value ? merged(existing, value) : value,
    );
  }
  return sized(above.origin, entries);
}

function plain(value: Table | Leaf): unknown {
  if (!("entries" in value)) return value.value;
  return Object.fromEntries([...value.entries].map(([key, each]) => [key, plain(each)]));
}

function placeIn(root: Table, path: readonly string[]): Place | undefined {
  let value: Table | Leaf = root;
  for (const [index, key] of path.entries()) {
    const next: Table | Leaf | undefined = "entries" in value ? value.entries.get(key) : undefined;
    if (next === undefined) return placeOf({ ...value.origin, path: [...value.origin.path, ...path.slice(index)] });
    value = next;
  }
  return placeOf(value.origin);
}

function placeOf({ source, path }: Origin): Place {
  return { file: source.file, ...source.find(path) };
}

function resolveFrom(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

function canonicalPath(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Reads, and tells what goes wrong at the place that names the file. */
function told<A>(file: string, named: Origin | undefined, read: () => A): A {
  try {
    return read();
  } catch (error) {
    throw failure(named, file, error instanceof Error ? error.message : String(error));
  }
}

/** A problem with a file, told at the place that names the file. */
function failure(named: Origin | undefined, file: string, problem: string): EvaluationError {
  return new EvaluationError({
    reason: "bad-data",
    file: named?.source.file ?? file,
    problems: [{ path: named?.path ?? [], problem, suggestions: [], ...(named === undefined ? {} : placeOf(named)) }],
  });
}
