/** JSON Schemas in few words, for messages. */
import type { JsonSchema } from "./schema.ts";

/** What each of the alternatives accepts. Null is left out beside others: who wants it leaves the option out. */
export function schemaTexts(alternatives: readonly JsonSchema[]): readonly string[] {
  const flat = alternatives.flatMap(flattened);
  const values = flat.filter((each) => !isNull(each));
  return [...new Set((values.length > 0 ? values : flat).flatMap(textsOf))];
}

/** Whether a schema accepts nothing but null. */
export function isNull(schema: JsonSchema): boolean {
  return typeof schema === "object" && schema["type"] === "null";
}

/** The strings among the values that the alternatives name one by one. */
export function wordsOf(alternatives: readonly JsonSchema[]): readonly string[] {
  return alternatives
    .flatMap(flattened)
    .flatMap((each) => (typeof each === "object" && Array.isArray(each["enum"]) ? (each["enum"] as unknown[]) : []))
    .filter((each) => typeof each === "string");
}

/** A union's alternatives, unions inside them taken apart. */
function flattened(schema: JsonSchema): readonly JsonSchema[] {
  const inner = typeof schema === "object" ? schema["anyOf"] : undefined;
  return Array.isArray(inner) ? (inner as JsonSchema[]).flatMap(flattened) : [schema];
}

function textsOf(schema: JsonSchema): readonly string[] {
  if (typeof schema === "boolean") return schema ? ["anything"] : [];
  const { enum: values, type, title, pattern, required } = schema;
  if (Array.isArray(values)) return values.map((each) => JSON.stringify(each));
  if (typeof title === "string") return [title];
  switch (type) {
    case "boolean":
      return ["true", "false"];
    case "integer":
    case "number":
      return [`${type}${rangeOf(schema)}`];
    case "string":
      return [typeof pattern === "string" ? `string matching ${bare(pattern)}` : "string"];
    case "array":
      return ["list"];
    case "object":
      return [Array.isArray(required) ? `table with ${required.join(", ")}` : "table"];
    default:
      return [typeof type === "string" ? type : "anything"];
  }
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: Exclude<JsonSchema, boolean>): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

/** A pattern without what only says that it is about the whole text. */
function bare(pattern: string): string {
  return /^\^\(\?:([^]*)\)\$$/u.exec(pattern)?.[1] ?? pattern;
}
