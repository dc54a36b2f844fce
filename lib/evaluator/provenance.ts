/** What became of each definition of an option, and why. */
import type { ConditionLink, DefinitionRecord } from "./definition-record.ts";
import type { Location } from "./location.ts";
import { computeThunks, expand, select } from "./merge.ts";
import type { ModuleSource, Place } from "./module-source.ts";
import { locate } from "./places.ts";
import { PropertyRecord } from "./properties.ts";

/** What became of a definition. */
export type DefinitionStatus =
  /** It is part of the value. */
  | "wins"
  /** A definition of better priority replaced it. */
  | "loses"
  /** A condition around it does not hold. */
  | "inactive";

/** One definition with all that decides about it. */
export interface DefinitionProvenance {
  readonly status: DefinitionStatus;
  readonly source: ModuleSource;
  readonly place: Place | undefined;
  /** What was written; a thunk's result if it was computed. */
  readonly value: unknown;
  readonly isThunk: boolean;
  readonly priority: number;
  readonly order: number;
  /** Whether each condition around the definition holds, outermost first; undefined where it was not asked. */
  readonly conditions: readonly { readonly source: ModuleSource; readonly holds: boolean | undefined }[];
}

/** What became of each of the definitions that `allOf` found, in merge order. */
export function provenanceOf(all: readonly DefinitionRecord[], location: Location): readonly DefinitionProvenance[] {
  const winners = new Set(select(all, location));
  return all.map((each) => {
    const conditions = conditionsOf(each, location);
    const inactive = conditions.some((condition) => condition.holds === false);
    return {
      status: winners.has(each) ? "wins" : inactive ? "inactive" : "loses",
      source: each.source,
      place: locate(each.source, "config", location),
      value: winners.has(each) ? computed(each, location) : each.value,
      isThunk: typeof each.value === "function",
      priority: each.priority,
      order: each.order,
      conditions,
    };
  });
}

function computed(definition: DefinitionRecord, location: Location): unknown {
  const results = computeThunks([definition], location).map((each) => each.value);
  return results.length === 1 ? results[0] : results;
}

/** Every definition, properties aside: all that `provenanceOf` tells of. */
export function allOf(definitions: readonly DefinitionRecord[], location: Location): readonly DefinitionRecord[] {
  const sink: DefinitionRecord[] = [];
  for (const each of definitions) expandKeepingFalse(each, location, sink);
  return sink;
}

/** Like `expand`, but keeps definitions under a condition that is written as false, for provenance. */
function expandKeepingFalse(definition: DefinitionRecord, location: Location, sink: DefinitionRecord[]): void {
  const { value } = definition;
  if (value instanceof PropertyRecord && value._type === "if" && value.parameter === false) {
    expand(definition.inside(new PropertyRecord("if", value.content, () => false)), location, sink, false);
  } else {
    expand(definition, location, sink, false);
  }
}

function conditionsOf(definition: DefinitionRecord, location: Location): DefinitionProvenance["conditions"] {
  const chain: ConditionLink[] = [];
  for (let at = definition.condition; at !== undefined; at = at.next) chain.push(at);
  let reached = true;
  return chain.reverse().map((link) => {
    const holds = reached ? link.holds(location) : undefined;
    reached = holds === true;
    return { source: link.source, holds };
  });
}
