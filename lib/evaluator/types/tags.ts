/** Tagged unions, records as lists, data for serialisers, modules as values. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar, TagOf } from "../definition.ts";
import { EvaluationError } from "../errors.ts";
import type { Location } from "../location.ts";
import { discharge, mergeChecked, mergeElement } from "../merge.ts";
import type { ConfigOf, Option } from "../option.ts";
import { byCodeUnit, deepFreeze, isRecord } from "../records.ts";
import { mkOptionType } from "./make.ts";
import { type AnyOptionType, embedDescription, mergeOptionTypes, type OptionType } from "./option-type.ts";

type Tags = Readonly<Record<string, Option<unknown, unknown>>>;

/** A record with exactly one of the given keys, each with an option of its own. */
export function attrTag<O extends Tags>(tags: O): OptionType<{ [K in keyof O]: { readonly [P in K]: ConfigOf<O>[K] } }[keyof O], TagOf<O>> {
  const names = Object.keys(tags).sort(byCodeUnit);
  return mkOptionType({
    name: "attrTag",
    description: `attribute-tagged union with choices: ${names.join(", ")}`,
    descriptionClass: "noun",
    check: (value) => isRecord(value) && Object.keys(value).length === 1 && Object.hasOwn(tags, Object.keys(value)[0] ?? ""),
    why: (value) => {
      if (!isRecord(value)) return undefined;
      const keys = Object.keys(value);
      if (keys.length !== 1) return `it has ${keys.length} keys where exactly one of ${names.join(", ")} is expected`;
      return `"${keys[0]}" is none of ${names.join(", ")}`;
    },
    merge: (location, definitions) => mergeTag(tags, location, definitions),
    functor: {
      name: "attrTag",
      payload: tags,
      merge: (other) => mergeTags(tags, other as Tags),
    },
    subOptions: () => tags,
    schema: () => ({
      anyOf: names.map((name) => ({
        type: "object",
        properties: { [name]: tags[name]?.fields.type.fields.schema?.() ?? {} },
        required: [name],
        additionalProperties: false,
      })),
    }),
  });
}

function mergeTag(tags: Tags, location: Location, definitions: readonly DefinitionRecord[]): unknown {
  const chosen = [...new Set(definitions.map((each) => Object.keys(each.value as object)[0] ?? ""))];
  const [tag = ""] = chosen;
  if (chosen.length > 1) {
    throw new EvaluationError({
      reason: "conflict",
      location,
      problem: `is defined both as ${chosen.map((each) => `\`${each}\``).join(" and as ")}`,
      definitions,
    });
  }
  const option = tags[tag] as Option<unknown, unknown>;
  const merged = mergeElement(
    option.fields.type,
    { up: location, key: tag },
    definitions.map((each) => each.element(Reflect.get(each.value as object, tag))),
  );
  const apply = option.fields.apply as ((value: unknown) => unknown) | undefined;
  return Object.freeze({ [tag]: apply === undefined ? merged?.value : apply(merged?.value) });
}

function mergeTags(a: Tags, b: Tags): AnyOptionType | undefined {
  const merged: Record<string, Option<unknown, unknown>> = { ...a };
  for (const [tag, option] of Object.entries(b)) {
    const known = a[tag];
    if (known !== undefined && mergeOptionTypes(known.fields.type, option.fields.type) === undefined) return undefined;
    merged[tag] ??= option;
  }
  return attrTag(merged);
}

interface AttrListOptions<R, W> {
  readonly elemType: OptionType<R, W>;
  /** Reads as a record; several entries of one name merge. */
  readonly asAttrs?: boolean;
}

/** One entry of an attribute list. */
export interface AttrListEntry<R> {
  readonly name: string;
  readonly value: R;
}

type WrittenList<T> = readonly { readonly [name: string]: T }[] | { readonly [name: string]: T };

/** Names with values whose order and repetition matter: [{ a: 1 }, { b: 2 }, { a: 3 }]. */
export function attrListOf<R, W>(element: OptionType<R, W>): OptionType<readonly { readonly [name: string]: R }[], Scalar<WrittenList<R>>> {
  return attrListWith({ elemType: element }) as OptionType<readonly { readonly [name: string]: R }[], Scalar<WrittenList<R>>>;
}

/** The general attribute list. */
export function attrListWith<R, W>(options: AttrListOptions<R, W>): AnyOptionType {
  const { elemType: element, asAttrs = false } = options;
  return mkOptionType({
    name: "attrListOf",
    description: () => `attribute list of ${embedDescription(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: (value) => isRecord(value) || (Array.isArray(value) && value.every((each) => isRecord(each) && Object.keys(each).length === 1)),
    why: (value) => (Array.isArray(value) ? "each entry is a record with one key" : undefined),
    merge: (location, definitions) => mergeAttrList(element, asAttrs, location, definitions),
    emptyValue: { value: asAttrs ? Object.freeze({}) : Object.freeze([]) },
    nested: { element },
    subOptions: (prefix) => element.fields.subOptions?.([...prefix, "*"]) ?? {},
    schema: () => ({
      anyOf: [
        { type: "object", additionalProperties: element.fields.schema?.() ?? {} },
        { type: "array", items: { type: "object", minProperties: 1, maxProperties: 1, additionalProperties: element.fields.schema?.() ?? {} } },
      ],
    }),
  });
}

function mergeAttrList(element: AnyOptionType, asAttrs: boolean, location: Location, definitions: readonly DefinitionRecord[]): unknown {
  const entries: { readonly name: string; readonly definition: DefinitionRecord }[] = [];
  for (const definition of definitions) {
    const records: readonly unknown[] = Array.isArray(definition.value) ? definition.value : Object.keys(definition.value as object).map((name) => ({ [name]: Reflect.get(definition.value as object, name) }));
    for (const record of records) {
      for (const name of Object.keys(record as object)) entries.push({ name, definition: definition.element(Reflect.get(record as object, name)) });
    }
  }
  const merge = (name: string, each: readonly DefinitionRecord[]) => mergeElement(element, { up: location, key: name }, each);
  if (!asAttrs) {
    const list = entries.flatMap(({ name, definition }) => {
      const merged = merge(name, [definition]);
      return merged === undefined ? [] : [Object.freeze({ [name]: merged.value })];
    });
    return Object.freeze(list);
  }
  const names = [...new Set(entries.map((each) => each.name))].sort(byCodeUnit);
  return Object.freeze(
    Object.fromEntries(
      names.flatMap((name) => {
        const merged = merge(name, entries.filter((each) => each.name === name).map((each) => each.definition));
        return merged === undefined ? [] : [[name, merged.value]];
      }),
    ),
  );
}

/** Data that a serialiser can write. */
export type Serializable = string | number | boolean | null | readonly Serializable[] | { readonly [key: string]: Serializable };

/** Values that a format can express: records merge by key, lists join, others must be equal. */
export function serializableValueWith(options: { readonly typeName: string; readonly nullable?: boolean }): OptionType<Serializable, Scalar<Serializable>> {
  const { typeName, nullable = true } = options;
  const fits = (value: unknown): boolean => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return Number.isFinite(value);
      case "object":
        return value === null ? nullable : Array.isArray(value) || isRecord(value);
      default:
        return false;
    }
  };
  const type: OptionType<Serializable, Scalar<Serializable>> = mkOptionType({
    name: typeName,
    description: `${typeName} value`,
    descriptionClass: "noun",
    check: fits,
    why: (value) => (value === null && !nullable ? `${typeName} has no null` : undefined),
    merge: (location, definitions) => mergeData(type, location, definitions),
    emptyValue: { value: null },
    functor: { name: typeName, payload: nullable, merge: (other) => (other === nullable ? type : undefined) },
    schema: () => ({}),
  });
  return type;
}

function mergeData(type: AnyOptionType, location: Location, definitions: readonly DefinitionRecord[]): unknown {
  const values = definitions.map((each) => each.value);
  if (values.every((value) => Array.isArray(value))) {
    return Object.freeze(
      definitions.flatMap((definition, n) =>
        (definition.value as readonly unknown[]).flatMap((value, m) => {
          const merged = mergeElement(type, { up: location, key: `[definition ${n + 1}-entry ${m + 1}]` }, [definition.element(value)]);
          return merged === undefined ? [] : [merged.value];
        }),
      ),
    );
  }
  if (values.every((value) => isRecord(value))) {
    const byKey = new Map<string, DefinitionRecord[]>();
    for (const definition of definitions) {
      for (const key of Object.keys(definition.value as object)) {
        const inner = definition.element(Reflect.get(definition.value as object, key));
        const list = byKey.get(key);
        if (list === undefined) byKey.set(key, [inner]);
        else list.push(inner);
      }
    }
    const entries = [...byKey.keys()].sort(byCodeUnit).flatMap((key) => {
      const at = { up: location, key };
      const survivors = discharge(byKey.get(key) ?? [], at);
      return survivors.length === 0 ? [] : [[key, mergeChecked(type, at, survivors)] as const];
    });
    return deepFreeze(Object.fromEntries(entries));
  }
  const [first] = values;
  if (values.every((value) => Object.is(value, first))) return first;
  throw new EvaluationError({ reason: "conflict", location, problem: "has conflicting values", definitions });
}

/** What JSON can express. */
export const json: OptionType<Serializable, Scalar<Serializable>> = serializableValueWith({ typeName: "JSON" });
/** What TOML can express; it has no null. */
export const toml: OptionType<Serializable, Scalar<Serializable>> = serializableValueWith({ typeName: "TOML", nullable: false });
