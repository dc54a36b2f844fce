/** Options whose value is a function. */
import type { Definition, Scope } from "../definition.ts";
import { FunctionValue } from "../function-value.ts";
import { ElementCell } from "../merge.ts";
import { elementFunctor, mkOptionType } from "./make.ts";
import { embedDescription, mergeOptionTypes, type OptionType } from "./option-type.ts";
import type { Scalar } from "../definition.ts";

/** A function whose results have a type; several definitions merge per call. */
export function functionTo<R, W>(
  result: OptionType<R, W>,
): OptionType<(input: never) => R, Scalar<FunctionValue<(input: never) => Definition<W, Scope>>>> {
  return mkOptionType({
    name: "functionTo",
    description: () => `function that evaluates to a(n) ${embedDescription(result, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: (value) => value instanceof FunctionValue,
    why: (value) => (typeof value === "function" ? "wrap the function in mkFunction" : undefined),
    merge: (location, definitions) => (input: unknown) =>
      new ElementCell(
        result,
        location,
        "<function body>",
        definitions.map((each) => each.element((each.value as FunctionValue<(input: unknown) => unknown>).call(input))),
      ).force(),
    functor: elementFunctor("functionTo", result, mergeOptionTypes, functionTo),
    nested: { result },
    subOptions: (prefix) => result.fields.subOptions?.([...prefix, "<function body>"]) ?? [],
    schema: () => false,
  });
}
