/** Lists and records. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { AttrsOf, ListOf, Scalar } from "../definition.ts";
import type { Location } from "../location.ts";
import { discharge, ElementCell, expand, mergeChecked, select } from "../merge.ts";
import { PropertyRecord } from "../properties.ts";
import { byCodeUnit, deepFreeze, isRecord, RecordSource, recordSourceOf, setKey } from "../records.ts";
import { elementFunctor, mkOptionType } from "./make.ts";
import { type AnyOptionType, embedDescription, mergeOptionTypes, type OptionType } from "./option-type.ts";

/** A list; definitions are concatenated, elements that nothing defines are dropped. */
export function listOf<R, W>(element: OptionType<R, W>): OptionType<readonly R[], ListOf<W>> {
  return mkOptionType({
    name: "listOf",
    description: () => `list of ${embedDescription(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: Array.isArray,
    merge: (location, definitions) => mergeList(element, location, definitions),
    emptyValue: { value: Object.freeze([]) },
    functor: elementFunctor("listOf", element, mergeOptionTypes, listOf),
    nested: { element },
    elements: [{ key: "*", type: element }],
    subOptions: (prefix) => element.fields.subOptions?.([...prefix, "*"]) ?? [],
    schema: () => ({ type: "array", items: element.fields.schema?.() ?? {} }),
    ...substitute(element, listOf),
  });
}

function mergeList(
  element: AnyOptionType,
  location: Location,
  definitions: readonly DefinitionRecord[],
): readonly unknown[] {
  const merged: unknown[] = [];
  for (let n = 0; n < definitions.length; n++) {
    const definition = definitions[n] as DefinitionRecord;
    const values = definition.value as readonly unknown[];
    for (let m = 0; m < values.length; m++) {
      const value = values[m];
      if (isFinished(element, value)) {
        merged.push(value);
        continue;
      }
      const at = { up: location, key: `[definition ${n + 1}-entry ${m + 1}]` };
      const survivors = discharge([definition.element(value)], at);
      if (survivors.length > 0) merged.push(mergeChecked(element, at, survivors));
    }
  }
  return Object.freeze(merged);
}

/** Whether a written element is its own merged value. */
function isFinished(element: AnyOptionType, value: unknown): boolean {
  return (
    element.scalar &&
    typeof value !== "function" &&
    !(value instanceof PropertyRecord) &&
    element.check(value) &&
    typeof value !== "object"
  );
}

/** A list with at least one element. */
export function nonEmptyListOf<R, W>(element: OptionType<R, W>): OptionType<readonly R[], ListOf<W>> {
  return mkOptionType({
    name: "nonEmptyListOf",
    description: () => `non-empty (list of ${embedDescription(element, ["noun", "composite"])})`,
    descriptionClass: "composite",
    check: (value) => Array.isArray(value) && value.length > 0,
    why: (value) => (Array.isArray(value) ? "it is empty" : undefined),
    merge: (location, definitions) => mergeList(element, location, definitions),
    functor: elementFunctor("nonEmptyListOf", element, mergeOptionTypes, nonEmptyListOf),
    nested: { element },
    elements: [{ key: "*", type: element }],
    subOptions: (prefix) => element.fields.subOptions?.([...prefix, "*"]) ?? [],
    schema: () => ({ type: "array", minItems: 1, items: element.fields.schema?.() ?? {} }),
    ...substitute(element, nonEmptyListOf),
  });
}

/** A record of definitions, merged per key; a key that nothing defines is absent. */
export function attrsOf<R, W>(element: OptionType<R, W>): OptionType<{ readonly [name: string]: R }, AttrsOf<W>> {
  return attrsWith({ elemType: element });
}

/** A record merged per key, where each key exists as soon as it is written, whatever its conditions. */
export function lazyAttrsOf<R, W>(element: OptionType<R, W>): OptionType<{ readonly [name: string]: R }, AttrsOf<W>> {
  return attrsWith({ elemType: element, lazy: true });
}

/** The general record type. `placeholder` names the key in documentation. */
export function attrsWith<R, W>(options: {
  readonly elemType: OptionType<R, W>;
  readonly lazy?: boolean;
  readonly placeholder?: string;
}): OptionType<{ readonly [name: string]: R }, AttrsOf<W>> {
  const { elemType: element, lazy = false, placeholder } = options;
  const elementKey = `<${placeholder ?? "name"}>`;
  return mkOptionType({
    name: lazy ? "lazyAttrsOf" : "attrsOf",
    description: () => `${lazy ? "lazy " : ""}attribute set of ${embedDescription(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: isRecord,
    merge: (location, definitions) => mergeRecord(element, lazy, location, definitions),
    emptyValue: { value: Object.freeze({}) },
    functor: {
      name: lazy ? "lazyAttrsOf" : "attrsOf",
      payload: { element, placeholder },
      merge: (other) => {
        const { element: otherElement, placeholder: otherPlaceholder } = other as {
          element: AnyOptionType;
          placeholder: string | undefined;
        };
        const merged = mergeOptionTypes(element, otherElement);
        if (merged === undefined) return undefined;
        if (placeholder !== undefined && otherPlaceholder !== undefined && placeholder !== otherPlaceholder)
          return undefined;
        const named = placeholder ?? otherPlaceholder;
        return attrsWith({ elemType: merged, lazy, ...(named === undefined ? {} : { placeholder: named }) });
      },
    },
    nested: { element },
    elements: [{ key: elementKey, type: element }],
    subOptions: (prefix) => element.fields.subOptions?.([...prefix, elementKey]) ?? [],
    schema: () => ({ type: "object", additionalProperties: element.fields.schema?.() ?? {} }),
    ...substitute(element, (type) => attrsWith({ ...options, elemType: type })),
  });
}

function substitute(element: AnyOptionType, make: (type: AnyOptionType) => AnyOptionType) {
  const { subModules, substSubModules } = element.fields;
  return subModules === undefined || substSubModules === undefined
    ? {}
    : { subModules, substSubModules: (modules: readonly unknown[]) => make(substSubModules(modules)) };
}

function mergeRecord(
  element: AnyOptionType,
  lazy: boolean,
  location: Location,
  definitions: readonly DefinitionRecord[],
): object {
  const [only] = definitions;
  if (definitions.length === 1 && only !== undefined && element.scalar) {
    const finished = finishedRecord(element, only.value as Record<string, unknown>);
    if (finished !== undefined) return finished;
  }
  const byKey = new Map<string, DefinitionRecord[]>();
  for (const definition of definitions) {
    const value = definition.value as Record<string, unknown>;
    const source = recordSourceOf(value);
    for (const key of Object.keys(value)) {
      const inner = source === undefined ? value[key] : () => source.readKey(key);
      if (inner === undefined) continue;
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [definition.element(inner)]);
      else list.push(definition.element(inner));
    }
  }
  if (!lazy) {
    for (const [key, each] of byKey) if (!isDefined(each, { up: location, key })) byKey.delete(key);
  }
  return new AttributeRecord(element, location, byKey).record;
}

/** The record itself when every value is written out and fits. */
function finishedRecord(element: AnyOptionType, value: Record<string, unknown>): object | undefined {
  if (recordSourceOf(value) !== undefined) return undefined;
  const finished: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort(byCodeUnit)) {
    if (!isFinished(element, value[key])) return undefined;
    setKey(finished, key, value[key]);
  }
  return Object.freeze(finished);
}

function isDefined(definitions: readonly DefinitionRecord[], location: Location): boolean {
  if (definitions.some((each) => !(each.value instanceof PropertyRecord))) return true;
  const expanded: DefinitionRecord[] = [];
  for (const each of definitions) expand(each, location, expanded, false);
  return expanded.some((each) => each.condition === undefined) || select(expanded, location).length > 0;
}

/** The value of an attrsOf option whose elements still have to be computed. */
export class AttributeRecord extends RecordSource {
  readonly location: Location;
  readonly element: AnyOptionType;
  private readonly definitions: ReadonlyMap<string, readonly DefinitionRecord[]>;
  private readonly cells = new Map<string, ElementCell>();
  private sorted: readonly string[] | undefined = undefined;

  constructor(
    element: AnyOptionType,
    location: Location,
    definitions: ReadonlyMap<string, readonly DefinitionRecord[]>,
  ) {
    super();
    this.element = element;
    this.location = location;
    this.definitions = definitions;
  }
  keyList(): readonly string[] {
    return (this.sorted ??= [...this.definitions.keys()].sort(byCodeUnit));
  }
  hasKey(key: string): boolean {
    return this.definitions.has(key);
  }
  /** The cell of one element. */
  cell(key: string): ElementCell | undefined {
    let cell = this.cells.get(key);
    const definitions = this.definitions.get(key);
    if (cell === undefined && definitions !== undefined) {
      cell = new ElementCell(this.element, this.location, key, definitions);
      this.cells.set(key, cell);
    }
    return cell;
  }
  readKey(key: string): unknown {
    return this.cell(key)?.force();
  }
  missingKey(): undefined {
    return undefined;
  }
}

/** A record taken as it is; the definition merged last wins a key. */
export const attrs: OptionType<
  { readonly [name: string]: unknown },
  Scalar<{ readonly [name: string]: unknown }>
> = mkOptionType({
  name: "attrs",
  description: "attribute set",
  check: isRecord,
  merge: (_location, definitions) => deepFreeze(Object.assign({}, ...definitions.map((each) => each.value))),
  emptyValue: { value: Object.freeze({}) },
  functor: { name: "attrs", payload: undefined, merge: () => attrs },
  schema: () => ({ type: "object" }),
});
