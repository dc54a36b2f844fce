/**
 * From all definitions of an option to its value: discharge properties, keep
 * the best priority, compute thunks, order, check, merge.
 */
import { Cell } from "./cells.ts";
import { ConditionLink, conditionsHold, DefinitionRecord } from "./definition-record.ts";
import { EvaluationError } from "./errors.ts";
import type { Location } from "./location.ts";
import { ModuleSource } from "./module-source.ts";
import { defaultOrder, defaultPriority, isProperty, type PropertyRecord } from "./properties.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/**
 * Takes properties off a definition, outermost first. Nested priorities
 * combine to the strongest and the outermost order counts, so properties may
 * be nested in any way.
 */
export function expand(
  definition: DefinitionRecord,
  location: Location | undefined,
  sink: DefinitionRecord[],
  shared: boolean,
): void {
  if (!isProperty(definition.value)) {
    sink.push(definition);
    return;
  }
  const { scope } = definition;
  let value: unknown = definition.value;
  let { source, condition, priority, order } = definition;
  while (isProperty(value)) {
    switch (value._type) {
      case "merge":
        for (const content of contentsOf(value, source, location)) {
          expand(new DefinitionRecord(content, source, scope, condition, priority, order), location, sink, shared);
        }
        return;
      case "if":
        if (value.parameter === false) return;
        if (value.parameter !== true) {
          condition = new ConditionLink(value.parameter, scope, source, condition, location, shared);
        }
        break;
      case "override": {
        const number = numberOf(value, source, location);
        priority = priority === defaultPriority ? number : Math.min(priority, number);
        break;
      }
      case "order": {
        const number = numberOf(value, source, location);
        if (order === defaultOrder) order = number;
        break;
      }
      case "definition":
        source = new ModuleSource(String(value.parameter), String(value.parameter));
    }
    value = value.content;
  }
  sink.push(new DefinitionRecord(value, source, scope, condition, priority, order));
}

function contentsOf(
  property: PropertyRecord,
  source: ModuleSource,
  location: Location | undefined,
): readonly unknown[] {
  if (Array.isArray(property.content)) return property.content;
  throw new EvaluationError({
    reason: "bad-property",
    location,
    problem: "mkMerge takes a list of definitions",
    definitions: [{ source, value: property.content }],
  });
}

function numberOf(property: PropertyRecord, source: ModuleSource, location: Location | undefined): number {
  if (typeof property.parameter === "number") return property.parameter;
  throw new EvaluationError({
    reason: "bad-property",
    location,
    problem: property._type === "order" ? "mkOrder takes a number" : "mkOverride takes a number as priority",
    definitions: [{ source, value: property.parameter }],
  });
}

/**
 * The definitions of the best priority whose conditions hold. Conditions of
 * weaker definitions are not asked once a stronger one counts.
 */
export function select(
  definitions: readonly DefinitionRecord[],
  location: Location | undefined,
): readonly DefinitionRecord[] {
  const first = definitions[0];
  if (first === undefined) return definitions;
  if (definitions.length === 1) return conditionsHold(first.condition, location) ? definitions : [];
  let uniform = true;
  for (let index = 0; index < definitions.length && uniform; index++) {
    const each = definitions[index] as DefinitionRecord;
    uniform = each.priority === first.priority && each.condition === undefined;
  }
  if (uniform) return definitions;
  let remaining = definitions;
  while (remaining.length > 0) {
    let best = Infinity;
    for (let index = 0; index < remaining.length; index++)
      best = Math.min(best, (remaining[index] as DefinitionRecord).priority);
    const winners: DefinitionRecord[] = [];
    const others: DefinitionRecord[] = [];
    for (let index = 0; index < remaining.length; index++) {
      const each = remaining[index] as DefinitionRecord;
      if (each.priority !== best) others.push(each);
      else if (conditionsHold(each.condition, location)) winners.push(each);
    }
    if (winners.length > 0) return winners;
    remaining = others;
  }
  return remaining;
}

/** Calls thunks and takes off what they wrapped their results in. */
export function computeThunks(
  definitions: readonly DefinitionRecord[],
  location: Location,
): readonly DefinitionRecord[] {
  let computed: DefinitionRecord[] | undefined;
  for (let index = 0; index < definitions.length; index++) {
    const definition = definitions[index] as DefinitionRecord;
    if (typeof definition.value === "function") {
      computed ??= definitions.slice(0, index);
      computeThunk(definition, location, computed);
    } else {
      computed?.push(definition);
    }
  }
  return computed ?? definitions;
}

function computeThunk(definition: DefinitionRecord, location: Location, sink: DefinitionRecord[]): void {
  let value: unknown;
  try {
    value = (definition.value as (config: object, arguments_: object) => unknown)(
      definition.scope.config,
      definition.scope.arguments,
    );
  } catch (error) {
    throw Cell.mustUnwind(error) ? error : EvaluationError.from(error, location, definition);
  }
  if (!isProperty(value) && typeof value !== "function") {
    sink.push(definition.inside(value));
    return;
  }
  const inner: DefinitionRecord[] = [];
  expand(
    new DefinitionRecord(value, definition.source, definition.scope, undefined, definition.priority, definition.order),
    location,
    inner,
    false,
  );
  for (const each of inner) {
    if (each.priority !== definition.priority) {
      throw new EvaluationError({
        reason: "bad-property",
        location,
        problem:
          "a thunk returned a definition with a priority of its own, but priorities must be known before anything is computed; write the priority around the thunk and the case into mkIf",
        definitions: [{ source: each.source }],
      });
    }
    if (!conditionsHold(each.condition, location)) continue;
    if (typeof each.value === "function") computeThunk(each, location, sink);
    else sink.push(each);
  }
}

/** Sorts by order, stably; most definitions have none. */
export function sortByOrder(definitions: readonly DefinitionRecord[]): readonly DefinitionRecord[] {
  return definitions.length > 1 && definitions.some((each) => each.order !== defaultOrder)
    ? [...definitions].sort((a, b) => a.order - b.order)
    : definitions;
}

/** The surviving definitions of one place, computed and in merge order. */
export function discharge(definitions: readonly DefinitionRecord[], location: Location): readonly DefinitionRecord[] {
  let expanded = definitions;
  const only = definitions[0];
  if (
    definitions.length === 1 &&
    only?.condition === undefined &&
    typeof only?.value !== "object" &&
    typeof only?.value !== "function"
  ) {
    return definitions;
  }
  if (definitions.some((each) => isProperty(each.value))) {
    const sink: DefinitionRecord[] = [];
    for (let index = 0; index < definitions.length; index++)
      expand(definitions[index] as DefinitionRecord, location, sink, false);
    expanded = sink;
  }
  return sortByOrder(computeThunks(select(expanded, location), location));
}

/** What `onlySurvivor` says when the answer takes more than looking at priorities. */
export const undecided: unique symbol = Symbol("undecided");

/**
 * The one definition that counts among several, found by looking through their
 * properties without taking them apart: most options are decided by priority
 * alone. Undefined when none counts, `undecided` when several count, or when a
 * condition or a thunk has a say.
 */
export function onlySurvivor(
  definitions: readonly DefinitionRecord[],
): DefinitionRecord | typeof undecided | undefined {
  let winner: DefinitionRecord | undefined;
  let best = Infinity;
  let content: unknown;
  let several = false;
  let bestConditional = Infinity;
  for (let index = 0; index < definitions.length; index++) {
    const each = definitions[index] as DefinitionRecord;
    let value: unknown = each.value;
    let { priority } = each;
    let conditional = each.condition !== undefined;
    let inactive = false;
    while (isProperty(value)) {
      const { parameter } = value;
      if (value._type === "override") {
        if (typeof parameter !== "number") return undecided;
        priority = priority === defaultPriority ? parameter : Math.min(priority, parameter);
      } else if (value._type === "if") {
        if (parameter === false) inactive = true;
        else if (parameter !== true) conditional = true;
      } else return undecided;
      value = value.content;
    }
    if (inactive) continue;
    if (conditional) {
      if (priority < bestConditional) bestConditional = priority;
    } else if (priority < best) {
      best = priority;
      winner = each;
      content = value;
      several = false;
    } else if (priority === best) several = true;
  }
  if (bestConditional <= best && bestConditional !== Infinity) return undecided;
  if (winner === undefined) return undefined;
  if (several || typeof content === "function") return undecided;
  return content === winner.value
    ? winner
    : new DefinitionRecord(content, winner.source, winner.scope, undefined, best, winner.order);
}

/** Checks and merges definitions that survived. */
export function mergeChecked(
  type: AnyOptionType,
  location: Location,
  definitions: readonly DefinitionRecord[],
): unknown {
  for (let index = 0; index < definitions.length; index++) {
    if (type.check((definitions[index] as DefinitionRecord).value)) continue;
    throw wrongType(
      type,
      location,
      definitions.filter((each) => !type.check(each.value)),
    );
  }
  if (type.scalar && definitions.length === 1) return (definitions[0] as DefinitionRecord).value;
  return type.merge(location, definitions);
}

/** The error for values that a type does not accept. */
export function wrongType(
  type: AnyOptionType,
  location: Location,
  definitions: readonly DefinitionRecord[],
): EvaluationError {
  const [first] = definitions;
  return new EvaluationError({
    reason: "wrong-type",
    location,
    type: type.description,
    why: first === undefined ? undefined : type.fields.why?.(first.value),
    definitions,
  });
}

/** The value of something that nothing defines, if its type has one. */
export function emptyValueOf(type: AnyOptionType, location: Location): { readonly value: unknown } | undefined {
  return type.fields.emptyByMerging === true ? { value: type.merge(location, []) } : type.emptyValue;
}

/** An element of a list, record or function result, merged now. `undefined` when nothing defines it. */
export function mergeElement(
  type: AnyOptionType,
  location: Location,
  definitions: readonly DefinitionRecord[],
): { readonly value: unknown } | undefined {
  const survivors = discharge(definitions, location);
  if (survivors.length === 0) return emptyValueOf(type, location);
  return { value: mergeChecked(type, location, survivors) };
}

/** An element merged when it is read. */
export class ElementCell extends Cell {
  readonly up: Location | undefined;
  readonly key: string;
  readonly definitions: readonly DefinitionRecord[];
  readonly type: AnyOptionType;

  constructor(type: AnyOptionType, up: Location | undefined, key: string, definitions: readonly DefinitionRecord[]) {
    super();
    this.type = type;
    this.up = up;
    this.key = key;
    this.definitions = definitions;
  }

  protected compute(): unknown {
    const merged = mergeElement(this.type, this, this.definitions);
    if (merged === undefined) {
      throw new EvaluationError({
        reason: "undefined-option",
        location: this,
        declarations: this.definitions.map((each) => each.source),
      });
    }
    return merged.value;
  }

  protected failure(error: unknown): unknown {
    return EvaluationError.from(error, this);
  }
}
