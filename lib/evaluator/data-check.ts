/** Checks data against the JSON Schema of all options. */
import { createRequire } from "node:module";
import type * as Ajv from "ajv";
import type { DataProblem } from "./data-problem.ts";
import { nearest } from "./levenshtein.ts";
import { isRecord } from "./records.ts";
import type { JsonSchema } from "./schema.ts";

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

/** One problem per place: the branches of an `anyOf` are summed up by the `anyOf` itself. */
function summarised(errors: readonly Ajv.ErrorObject[]): readonly DataProblem[] {
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
  const problem = error.message ?? error.keyword;
  const value = typeof error.data === "object" ? undefined : JSON.stringify(error.data);
  return { path, problem: value === undefined ? problem : `${problem}, not ${value}`, suggestions: [] };
}
