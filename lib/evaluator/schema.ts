/** JSON Schema of what may be written, generated from declared options. */
import type { Location } from "./location.ts";
import type { OptionFields } from "./option.ts";
import { byCodeUnit } from "./records.ts";
import type { ShapeNode } from "./shape.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** A JSON Schema, draft 2020-12 or 7: only keywords that both share are used. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** The schema of values that one type accepts in a data file. */
function schemaOfType(type: AnyOptionType): JsonSchema {
  return (type.fields.schema?.() ?? {}) as JsonSchema;
}

/** The schema of definitions for a tree of options. `open` is the type of undeclared names. */
export function schemaOfShape(shape: ShapeNode, location: Location | undefined, open?: AnyOptionType): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const key of shape.keys) {
    const child = shape.child(key);
    if (child === undefined || (key === "_module" && location === undefined)) continue;
    const at = { up: location, key };
    properties[key] = child.isOption ? schemaOfOption(child.option(at)) : schemaOfShape(child, at);
  }
  return { type: "object", properties, additionalProperties: open === undefined ? false : openSchema(open) };
}

function openSchema(open: AnyOptionType): JsonSchema {
  const element = open.fields.nested?.["element"];
  return element === undefined ? true : schemaOfType(element);
}

function schemaOfOption(fields: OptionFields): JsonSchema {
  const schema = schemaOfType(fields.type);
  const { description } = fields;
  const text = typeof description === "string" ? description : description?.text;
  if (text === undefined || typeof schema === "boolean") return schema;
  return { ...schema, description: text, ...defaultOf(fields) };
}

function defaultOf(fields: OptionFields): { readonly default?: unknown } {
  const { default: value } = fields;
  if (value === undefined || fields.defaultText !== undefined || !isData(value, 0)) return {};
  return { default: value };
}

function isData(value: unknown, depth: number): boolean {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return true;
  if (typeof value !== "object" || depth > 8) return false;
  return Object.values(value).every((each) => isData(each, depth + 1));
}

/** A standalone document, ready to be written next to data files for editors. */
export function schemaDocument(schema: JsonSchema, title: string): string {
  const document = typeof schema === "boolean" ? { not: {} } : schema;
  return `${JSON.stringify(sortKeys({ $schema: "http://json-schema.org/draft-07/schema#", title, ...document }), null, 2)}\n`;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort(byCodeUnit)
      .map((key) => [key, sortKeys(Reflect.get(value, key))]),
  );
}
