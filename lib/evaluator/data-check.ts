/** Checks data against the JSON Schema of all options. */
import { createRequire } from "node:module";
import type * as Ajv from "ajv";
import type { DataProblem } from "./data-problem.ts";
import { closest, nearest } from "./levenshtein.ts";
import { isRecord } from "./records.ts";
import type { JsonSchema } from "./schema.ts";
import { isNull, schemaTexts, wordsOf } from "./schema-text.ts";

// Loaded only when there is data to check.
const require = createRequire(import.meta.url);

/** Everything that is wrong with data, in no order that matters; nothing when it fits. */
export function dataProblems(data: unknown, schema: JsonSchema): readonly DataProblem[] {
  if (typeof schema === "boolean") return [];
  const library = require("ajv") as typeof Ajv;
  const validate = new library.Ajv({ allErrors: true, strict: false, verbose: true, logger: false }).compile(
    narrowed(schema, [data]),
  );
  return validate(data) ? [] : summarised(validate.errors ?? []);
}

/**
 * The schema without what none of the values has: compiling the schema of all
 * options takes a second, and a file has few of them. The names stay.
 */
function narrowed(schema: JsonSchema, values: readonly unknown[]): JsonSchema {
  if (typeof schema === "boolean") return schema;
  const { properties, additionalProperties, items } = schema;
  const records = values.filter(isRecord);
  const known = isRecord(properties) ? properties : {};
  return {
    ...schema,
    ...(isRecord(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, inner]) => {
              const present = records.filter((record) => Object.hasOwn(record, key)).map((record) => record[key]);
              return [key, present.length === 0 ? true : narrowed(inner as JsonSchema, present)];
            }),
          ),
        }
      : {}),
    ...(isRecord(additionalProperties)
      ? {
          additionalProperties: narrowed(
            additionalProperties,
            records.flatMap((record) =>
              Object.entries(record).flatMap(([key, value]) => (Object.hasOwn(known, key) ? [] : [value])),
            ),
          ),
        }
      : {}),
    ...(isRecord(items) ? { items: narrowed(items, values.filter(Array.isArray).flat(1)) } : {}),
  };
}

/**
 * One problem per place: the branches of an `anyOf` are summed up by the `anyOf` itself, unless the value can only have
 * been meant for one of them. Then what that one says counts.
 */
function summarised(errors: readonly Ajv.ErrorObject[]): readonly DataProblem[] {
  const unions = errors
    .filter((each) => each.keyword === "anyOf")
    .map((union) => ({ union, meant: meantBranch(union.schema as readonly JsonSchema[], union.data) }));
  const isTold = (error: Ajv.ErrorObject): boolean =>
    unions.every(({ union, meant }) => {
      if (error === union) return meant === undefined;
      if (!error.schemaPath.startsWith(`${union.schemaPath}/`) || !isWithin(error.instancePath, union.instancePath))
        return true;
      return meant !== undefined && isWithin(error.schemaPath, `${union.schemaPath}/${meant}`);
    });
  const problems = errors.filter(isTold).map(problemOf);
  const seen = new Set<string>();
  return problems.filter((each) => {
    const key = `${each.path.join("\0")}\0${each.problem}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

/** The number of the only branch for values of this kind. */
function meantBranch(branches: readonly JsonSchema[], value: unknown): number | undefined {
  const fitting = [...branches.keys()].filter((index) => {
    const branch = branches[index];
    if (typeof branch !== "object" || isNull(branch)) return false;
    const { type } = branch;
    // Among scalars, a value of another kind is as likely a mistake as one out of range.
    if (Array.isArray(value)) return type === undefined || type === "array";
    return typeof value === "object" && value !== null ? type === undefined || type === "object" : true;
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Values as messages have them: what is long by its kind alone. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "a table" : JSON.stringify(value);
}

function problemOf(error: Ajv.ErrorObject): DataProblem {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (error.keyword === "additionalProperties") {
    const { additionalProperty: key } = error.params as { readonly additionalProperty: string };
    const known = isRecord(error.parentSchema?.["properties"]) ? Object.keys(error.parentSchema["properties"]) : [];
    return {
      path: [...path, key],
      problem: "there is no such option",
      suggestions: nearest(key, known),
      isUnknown: true,
    };
  }
  if (error.keyword === "false schema")
    return { path, problem: "this option cannot be set in a data file", suggestions: [] };
  if (error.keyword === "enum") {
    const { allowedValues } = error.params as { readonly allowedValues: readonly unknown[] };
    const value =
      typeof error.data === "string"
        ? closest(
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
  if (error.keyword === "anyOf") {
    const alternatives = error.schema as readonly JsonSchema[];
    return {
      path,
      problem: `${shown(error.data)} fits none of the types this option takes: ${schemaTexts(alternatives).join("; ")}`,
      suggestions: typeof error.data === "string" ? closest(error.data, wordsOf(alternatives)) : [],
    };
  }
  const problem = error.message ?? error.keyword;
  const value = typeof error.data === "object" ? undefined : JSON.stringify(error.data);
  return { path, problem: value === undefined ? problem : `${problem}, not ${value}`, suggestions: [] };
}
