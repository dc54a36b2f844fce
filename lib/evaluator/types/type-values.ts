/** Options whose values are types or declarations. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import { EvaluationError } from "../errors.ts";
import type { Location } from "../location.ts";
import { isOption, type Option } from "../option.ts";
import { mkOptionType } from "./make.ts";
import { type AnyOptionType, isOptionType, mergeOptionTypes, type OptionType } from "./option-type.ts";

/** A type as a value; several definitions combine as several declarations of one option do. */
export const optionType: OptionType<AnyOptionType, Scalar<AnyOptionType>> = mkOptionType({
  name: "optionType",
  description: "optionType",
  descriptionClass: "noun",
  check: isOptionType,
  merge: mergeTypeDefinitions,
  functor: { name: "optionType", payload: undefined, merge: () => optionType },
  schema: () => false,
});

function mergeTypeDefinitions(location: Location, definitions: readonly DefinitionRecord[]): AnyOptionType {
  const [first, ...rest] = definitions.map((each) => each.value as AnyOptionType);
  let merged = first as AnyOptionType;
  for (const next of rest) {
    const both = mergeOptionTypes(merged, next);
    if (both === undefined) {
      throw new EvaluationError({
        reason: "conflict",
        location,
        problem: `is defined as types that do not combine (${merged.description}; ${next.description})`,
        definitions,
      });
    }
    merged = both;
  }
  return merged;
}

/** An option declaration as a value. */
export const optionDeclaration: OptionType<Option<unknown, unknown>, Scalar<Option<unknown, unknown>>> = mkOptionType({
  name: "optionDeclaration",
  description: "option declaration",
  descriptionClass: "noun",
  check: isOption,
  functor: { name: "optionDeclaration", payload: undefined, merge: () => optionDeclaration },
  schema: () => false,
});
