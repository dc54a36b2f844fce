/** Tagged unions, records as lists, data for serialisers, modules as values. */
import { conditionsHold, type DefinitionRecord } from "../definition-record.ts";
import type { Scalar, TagOf } from "../definition.ts";
import { EvaluationError } from "../errors.ts";
import type { Location } from "../location.ts";
import { discharge, expand, mergeChecked, mergeElement, wrongType } from "../merge.ts";
import { PropertyRecord } from "../properties.ts";
import { type ConfigOf, isOption, Option } from "../option.ts";
import { ModuleSource } from "../module-source.ts";
import { shapeOf } from "../shape.ts";
import type { LoadedModule } from "../collect.ts";
import { byCodeUnit, deepFreeze, isRecord } from "../records.ts";
import { mkOptionType } from "./make.ts";
import { type AnyOptionType, embedDescription, mergeOptionTypes, type OptionType } from "./option-type.ts";

type Tags = Readonly<Record<string, Option<unknown, unknown>>>;

/** A record with exactly one of the given keys, each with an option of its own. */
export function attrTag<O extends Tags>(
  tags: O,
): OptionType<{ [K in keyof O]: { readonly [P in K]: ConfigOf<O>[K] } }[keyof O], TagOf<O>> {
  const names = Object.keys(tags).sort(byCodeUnit);
  for (const name of names) {
    if (!isOption(tags[name]))
      throw new TypeError(`attrTag: the tag \`${name}\` must be an option; wrap its type in mkOption`);
  }
  return mkOptionType({
    name: "attrTag",
    description: `attribute-tagged union with choices: ${names.join(", ")}`,
    descriptionClass: "noun",
    check: (value) =>
      isRecord(value) && Object.keys(value).length === 1 && Object.hasOwn(tags, Object.keys(value)[0] ?? ""),
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
    subOptions: (prefix) => [{ prefix, shape: shapeOf([tagModule(tags)], undefined) }],
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

const tagScope = { config: {}, arguments: {} };

/** The tags as if a module declared them. */
function tagModule(tags: Tags): LoadedModule {
  return {
    source: new ModuleSource("attrTag"),
    scope: tagScope,
    key: "attrTag",
    options: tags,
    config: undefined,
    freeformType: undefined,
  };
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
    const type = known === undefined ? option.fields.type : mergeOptionTypes(known.fields.type, option.fields.type);
    if (type === undefined) return undefined;
    merged[tag] = new Option({ ...option.fields, ...known?.fields, type });
  }
  return attrTag(merged);
}

interface AttrListOptions<R, W> {
  readonly elemType: OptionType<R, W>;
  /** Reads as a record. */
  readonly asAttrs?: boolean;
  /** With `asAttrs`: one value from all of a name's, in order; a list of them if absent. */
  readonly mergeAttrValues?: (name: string, values: readonly R[]) => unknown;
}

type WrittenList<T> = readonly { readonly [name: string]: T }[] | { readonly [name: string]: T };

/** Names with values whose order and repetition matter: [{ a: 1 }, { b: 2 }, { a: 3 }]. */
export function attrListOf<R, W>(
  element: OptionType<R, W>,
): OptionType<readonly { readonly [name: string]: R }[], Scalar<WrittenList<R>>> {
  return attrListWith({ elemType: element }) as OptionType<
    readonly { readonly [name: string]: R }[],
    Scalar<WrittenList<R>>
  >;
}

/** The general attribute list. */
export function attrListWith<R, W>(options: AttrListOptions<R, W>): AnyOptionType {
  const { elemType: element, asAttrs = false } = options;
  return mkOptionType({
    name: "attrListOf",
    description: () => `attribute list of ${embedDescription(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: (value) => isRecord(value) || (Array.isArray(value) && value.every((each) => isEntry(each))),
    why: (value) => (Array.isArray(value) ? whyNoEntry(value.find((each) => !isEntry(each))) : undefined),
    merge: (location, definitions) => mergeAttrList(options, location, definitions),
    emptyValue: { value: asAttrs ? Object.freeze({}) : Object.freeze([]) },
    nested: { element },
    subOptions: (prefix) => element.fields.subOptions?.([...prefix, "*"]) ?? [],
    schema: () => ({
      anyOf: [
        { type: "object", additionalProperties: element.fields.schema?.() ?? {} },
        {
          type: "array",
          items: {
            type: "object",
            minProperties: 1,
            maxProperties: 1,
            additionalProperties: element.fields.schema?.() ?? {},
          },
        },
      ],
    }),
  });
}

/** A record with one key; what properties hold is looked at when it is merged. */
function isEntry(value: unknown): boolean {
  return value instanceof PropertyRecord || (isRecord(value) && Object.keys(value).length === 1);
}

function whyNoEntry(value: unknown): string {
  return isRecord(value)
    ? `each entry must be a record with one key, but one has ${Object.keys(value).length}`
    : `each entry must be a record with one key, but one is ${Array.isArray(value) ? "a list" : `a ${typeof value}`}`;
}

interface Entry {
  readonly name: string;
  readonly definition: DefinitionRecord;
}

/** The entries of all definitions: the best priority per name, in order. */
function entriesOf(
  type: AnyOptionType,
  location: Location,
  definitions: readonly DefinitionRecord[],
): readonly Entry[] {
  const entries: Entry[] = [];
  const best = new Map<string, number>();
  for (const definition of definitions) {
    const written: readonly unknown[] = Array.isArray(definition.value) ? definition.value : [definition.value];
    for (const record of written.flatMap((each) => unwrap(definition.element(each), location))) {
      if (!isRecord(record.value)) throw wrongType(type, location, [record]);
      for (const name of Object.keys(record.value)) {
        for (const inner of unwrap(record.inside(record.value[name]), { up: location, key: name })) {
          entries.push({ name, definition: inner });
          best.set(name, Math.min(inner.priority, best.get(name) ?? Infinity));
        }
      }
    }
  }
  return entries
    .filter(({ name, definition }) => definition.priority === best.get(name))
    .sort((a, b) => a.definition.order - b.definition.order);
}

function unwrap(definition: DefinitionRecord, location: Location): readonly DefinitionRecord[] {
  const expanded: DefinitionRecord[] = [];
  expand(definition, location, expanded, false);
  return expanded.filter((each) => conditionsHold(each.condition, location));
}

function mergeAttrList<R, W>(
  options: AttrListOptions<R, W>,
  location: Location,
  definitions: readonly DefinitionRecord[],
): unknown {
  const { elemType, asAttrs = false, mergeAttrValues } = options;
  const values = entriesOf(attrListWith(options), location, definitions).map(({ name, definition }) => ({
    name,
    value: mergeElement(elemType, { up: location, key: name }, [definition.element(definition.value)])?.value as R,
  }));
  if (!asAttrs) return Object.freeze(values.map(({ name, value }) => Object.freeze({ [name]: value })));
  const names = [...new Set(values.map((each) => each.name))].sort(byCodeUnit);
  return Object.freeze(
    Object.fromEntries(
      names.map((name) => {
        const all = values.filter((each) => each.name === name).map((each) => each.value);
        return [name, mergeAttrValues === undefined ? Object.freeze(all) : mergeAttrValues(name, all)];
      }),
    ),
  );
}

/** Data that a serialiser can write. */
export type Serializable =
  | string
  | number
  | boolean
  | null
  | readonly Serializable[]
  | { readonly [key: string]: Serializable };

/** Values that a format can express: records merge by key, lists join, others must be equal. */
export function serializableValueWith(options: {
  readonly typeName: string;
  readonly nullable?: boolean;
}): OptionType<Serializable, Scalar<Serializable>> {
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
          const merged = mergeElement(type, { up: location, key: `[definition ${n + 1}-entry ${m + 1}]` }, [
            definition.element(value),
          ]);
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
export const toml: OptionType<Serializable, Scalar<Serializable>> = serializableValueWith({
  typeName: "TOML",
  nullable: false,
});
