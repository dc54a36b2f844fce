/**
 * TOML and JSON files as modules: the same options, checked by the JSON Schema
 * that the options make, so a misspelt key is an error with file and line.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import type * as Ajv from "ajv";
import { onDataModule } from "./collect.ts";
import { findInJson, findInToml, type Position } from "./data-places.ts";
import { EvaluationError } from "./errors.ts";
import { onDataCheck } from "./evaluation.ts";
import { nearest } from "./levenshtein.ts";
import type { Module } from "./module.ts";
import type { ModuleSource } from "./module-source.ts";
import { isRecord } from "./records.ts";
import type { DataProblem } from "./data-problem.ts";
import type { JsonSchema } from "./schema.ts";

interface DataFile {
  readonly file: string;
  readonly text: string;
  readonly module: Module;
}

const files = new Map<string, DataFile>();
const modulesOfFiles = new WeakMap<object, DataFile>();

// Both libraries are loaded only when a data file is imported.
const require = createRequire(import.meta.url);

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

/** Loads a data file; the same content is the same module. */
function loadDataFile(path: string, importer: ModuleSource): Module {
  const file = resolvePath(path, importer);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new EvaluationError({
      reason: "bad-import",
      problem: `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      source: importer,
    });
  }
  const known = files.get(file);
  if (known !== undefined && known.text === text) return known.module;
  const data = parse(file, text);
  const { imports, ...config } = data;
  const module: Module = {
    file,
    key: file,
    config,
    ...(imports === undefined ? {} : { imports: importList(imports, file) }),
  };
  const loaded = { file, text, module };
  files.set(file, loaded);
  modulesOfFiles.set(module, loaded);
  return module;
}

function parse(file: string, text: string): Record<string, unknown> {
  let data: unknown;
  try {
    data = file.endsWith(".toml")
      ? (require("@iarna/toml") as { parse(source: string): unknown }).parse(text)
      : (JSON.parse(text) as unknown);
  } catch (error) {
    const { line, col } = error as { readonly line?: number; readonly col?: number };
    throw new EvaluationError({
      reason: "bad-data",
      file,
      problems: [
        {
          path: [],
          problem: (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "",
          suggestions: [],
          ...(line === undefined ? {} : { line: line + 1, column: (col ?? 0) + 1 }),
        },
      ],
    });
  }
  const plain = file.endsWith(".toml") ? plainData(data) : data;
  if (isRecord(plain)) return plain;
  throw new EvaluationError({
    reason: "bad-data",
    file,
    problems: [{ path: [], problem: "the file does not hold a table of definitions", suggestions: [] }],
  });
}

/** TOML's dates become strings and its large integers numbers, so both formats carry the same data. */
function plainData(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainData);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainData(each)]));
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
export function placeInData(
  module: object,
  path: readonly string[],
): (Position & { readonly file: string }) | undefined {
  const data = modulesOfFiles.get(module);
  if (data === undefined) return undefined;
  const position = data.file.endsWith(".toml") ? findInToml(data.text, path) : findInJson(data.text, path);
  return position === undefined ? undefined : { file: data.file, ...position };
}

const validators = new WeakMap<object, Ajv.ValidateFunction>();

/** Checks a data module against the schema of all options. */
function checkData(module: object, schema: JsonSchema): void {
  const data = modulesOfFiles.get(module);
  if (data === undefined || typeof schema === "boolean") return;
  let validate = validators.get(schema);
  if (validate === undefined) {
    const library = require("ajv") as typeof Ajv;
    validate = new library.Ajv({ allErrors: true, strict: false, verbose: true, logger: false }).compile(schema);
    validators.set(schema, validate);
  }
  if (validate(data.module.config)) return;
  const find = data.file.endsWith(".toml") ? findInToml : findInJson;
  const problems = problemsOf(validate.errors ?? []).map((each) => Object.assign({}, each, find(data.text, each.path)));
  throw new EvaluationError({ reason: "bad-data", file: data.file, problems });
}

/** One problem per place: the branches of an `anyOf` are summed up by the `anyOf` itself. */
function problemsOf(errors: readonly Ajv.ErrorObject[]): readonly DataProblem[] {
  const unions = errors.filter((each) => each.keyword === "anyOf").map((each) => each.schemaPath);
  const problems = errors
    .filter((each) => !unions.some((union) => each.schemaPath !== union && each.schemaPath.startsWith(union)))
    .map(problemOf);
  const seen = new Set<string>();
  return problems.filter((each) => {
    const key = `${each.path.join("\0")}\0${each.problem}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function problemOf(error: Ajv.ErrorObject): DataProblem {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (error.keyword === "additionalProperties") {
    const { additionalProperty: key } = error.params as { readonly additionalProperty: string };
    const known = isRecord(error.parentSchema?.["properties"]) ? Object.keys(error.parentSchema["properties"]) : [];
    return { path: [...path, key], problem: "there is no such option", suggestions: nearest(key, known) };
  }
  if (error.keyword === "false schema")
    return { path, problem: "this option cannot be set in a data file", suggestions: [] };
  if (error.keyword === "enum") {
    const { allowedValues } = error.params as { readonly allowedValues: readonly unknown[] };
    const value =
      typeof error.data === "string"
        ? nearest(
            error.data,
            allowedValues.filter((each) => typeof each === "string"),
          )
        : [];
    return {
      path,
      problem: `must be one of ${allowedValues.map((each) => JSON.stringify(each)).join(", ")}`,
      suggestions: value,
    };
  }
  if (error.keyword === "anyOf")
    return { path, problem: `${JSON.stringify(error.data)} fits none of the types this option takes`, suggestions: [] };
  return { path, problem: error.message ?? error.keyword, suggestions: [] };
}

onDataModule(loadDataFile);
onDataCheck(checkData);
