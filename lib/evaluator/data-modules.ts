/**
 * TOML and JSON files as modules: the same options, checked by the JSON Schema
 * that the options make, so a misspelt key is an error with file and line.
 */
import type { PlacedDataProblem } from "./data-problem.ts";
import { dirname, isAbsolute, resolve } from "node:path";
import { onDataModule } from "./collect.ts";
import { dataProblems } from "./data-check.ts";
import { keyFinder, parseData } from "./data-text.ts";
import { EvaluationError } from "./errors.ts";
import { onDataCheck } from "./evaluation.ts";
import type { Module } from "./module.ts";
import { ModuleSource, type Place, withSource } from "./module-source.ts";
import type { JsonSchema } from "./schema.ts";
import { sourceFiles } from "./source-files.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Definitions that were read from data, of one file or merged from several. */
export interface DataDocument {
  /** What messages call the document; also the key of its module. */
  readonly file: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly imports?: readonly string[];
  /** Where the key at a path was written, or the closest key above it. */
  readonly placeOf: (path: readonly string[]) => Place | undefined;
  /** Whether somebody has compared it with the schema of the options already. */
  readonly isChecked?: boolean;
}

const documents = new WeakMap<object, DataDocument>();

/** The module of a document: checked against the schema of the options, with a place for each of its keys. */
export function dataModule(document: DataDocument): Module {
  const { file, config, imports } = document;
  const module: Module = { file, key: file, config, ...(imports === undefined ? {} : { imports }) };
  documents.set(module, document);
  return withSource(module, new ModuleSource(file, file, module, undefined, true));
}

const files = new Map<string, { readonly text: string; readonly module: Module }>();

/** Loads a data file; the same content is the same module. */
function loadDataFile(path: string, importer: ModuleSource): Module {
  const file = resolvePath(path, importer);
  const source = sourceFiles();
  if (source === undefined) {
    throw new EvaluationError({
      reason: "bad-import",
      problem: `cannot read ${file}: nobody has said how files are read`,
      source: importer,
      remedy: "Call useSourceFiles first, or make the module with dataModule.",
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = source.read(file);
  } catch (error) {
    throw new EvaluationError({
      reason: "bad-import",
      problem: `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      source: importer,
    });
  }
  const text = decodeUtf8(file, bytes);
  const known = files.get(file);
  if (known !== undefined && known.text === text) return known.module;
  const { imports, ...config } = parseData(file, text);
  const find = keyFinder(file, text);
  const module = dataModule({
    file,
    config,
    ...(imports === undefined ? {} : { imports: importList(imports, file) }),
    placeOf: (key) => {
      const position = find(key);
      return position === undefined ? undefined : { file, ...position };
    },
  });
  files.set(file, { text, module });
  return module;
}

/** The absolute path of a data file that `importer` names. */
function resolvePath(path: string, importer: ModuleSource): string {
  if (isAbsolute(path)) return path;
  const from = importer.path;
  if (from === undefined) {
    throw new EvaluationError({
      reason: "bad-import",
      problem: `the path ${path} is relative, but the file it is relative to is not known`,
      source: importer,
      remedy: "Make the importing module with defineModule, or give an absolute path.",
    });
  }
  return resolve(dirname(from), path);
}

function importList(value: unknown, file: string): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new EvaluationError({
    reason: "bad-data",
    file,
    problems: [{ path: ["imports"], problem: "imports must be a list of paths", suggestions: [] }],
  });
}

/** Where a key of a data module stands. */
export function placeInData(module: object, path: readonly string[]): Place | undefined {
  return documents.get(module)?.placeOf(path);
}

/** Checks a data module against the schema of all options. */
function checkData(module: object, schema: JsonSchema): void {
  const document = documents.get(module);
  if (document === undefined || document.isChecked === true) return;
  const problems = dataProblems(document.config, schema)
    .map((problem): PlacedDataProblem => Object.assign({}, problem, document.placeOf(problem.path)))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  if (problems.length > 0) throw new EvaluationError({ reason: "bad-data", file: document.file, problems });
}

onDataModule(loadDataFile);
onDataCheck(checkData);
