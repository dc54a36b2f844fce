/** Checks data against the JSON Schema of all options. */
import { createRequire } from "node:module";
import type * as Ajv from "ajv";
import type { DataProblem } from "./data-problem.ts";
import { nearest } from "./levenshtein.ts";
import { isRecord } from "./records.ts";
import type { JsonSchema } from "./schema.ts";

// Loaded only when there is data to check.
const require = createRequire(import.meta.url);

const validators = new WeakMap<object, Ajv.ValidateFunction>();

/** Everything that is wrong with data, in no order that matters; nothing when it fits. */
export function dataProblems(data: unknown, schema: JsonSchema): readonly DataProblem[] {
  if (typeof schema === "boolean") return [];
  let validate = validators.get(schema);
  if (validate === undefined) {
    const library = require("ajv") as typeof Ajv;
    validate = new library.Ajv({ allErrors: true, strict: false, verbose: true, logger: false }).compile(schema);
    validators.set(schema, validate);
  }
  return validate(data) ? [] : summarised(validate.errors ?? []);
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
  return { path, problem: error.message ?? error.keyword, suggestions: [] };
}
