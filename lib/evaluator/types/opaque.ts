/** Types that do not look inside values. */
import { FunctionValue } from "../function-value.ts";
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import { ElementCell } from "../merge.ts";
import type { Location } from "../location.ts";
import { deepFreeze, isRecord, recordSourceOf } from "../records.ts";
import { attrsOf } from "./containers.ts";
import { equal, mergeEqual, mergeOne, mkOptionType } from "./make.ts";
import type { OptionType } from "./option-type.ts";

/** Everything that can be written as it is; a function is a thunk and needs `mkFunction`. */
export type AnyValue = string | number | bigint | boolean | symbol | null | object;

/** Any one value, passed on untouched. */
export const raw: OptionType<unknown, Scalar<AnyValue>> = mkOptionType({
  name: "raw",
  description: "raw value",
  descriptionClass: "noun",
  merge: (location, definitions) => mergeOne(location, definitions),
  functor: { name: "raw", payload: undefined, merge: () => raw },
  schema: () => ({}),
});

/** A value that a predicate recognises, with the static type the predicate gives it. One definition. */
export function opaque<T>(
  name: string,
  is: (value: unknown) => value is T,
  description: string = name,
): OptionType<T, Scalar<T>> {
  const type: OptionType<T, Scalar<T>> = mkOptionType<T>({
    name,
    description,
    descriptionClass: "noun",
    check: is,
    merge: (location, definitions) => mergeOne(location, definitions),
    functor: { name, payload: is, merge: (other) => (other === is ? type : undefined) },
    schema: () => false,
  });
  return type;
}

/** What packages look like to the evaluator: something with a name that prints as its output path. */
export interface Package {
  readonly name: string;
  toString(): string;
}

function isPackage(value: unknown): value is Package {
  if (typeof value === "string") return isStorePath(value);
  return (
    typeof value === "object" &&
    value !== null &&
    typeof Reflect.get(value, "name") === "string" &&
    value.toString !== Object.prototype.toString
  );
}

function isStorePath(value: string): boolean {
  return /^\/nix\/store\/[0-9a-z]{32}-[^/]+$/u.test(value);
}

/** A derivation or a path of the store. */
const package_: OptionType<Package, Scalar<Package>> = opaque("package", isPackage);
export { package_ as package };

/**
 * Anything: records merge recursively, lists and other values must be equal.
 */
export const anything: OptionType<unknown, Scalar<AnyValue>> = mkOptionType({
  name: "anything",
  description: "anything",
  descriptionClass: "noun",
  merge: mergeAnything,
  functor: { name: "anything", payload: undefined, merge: () => anything },
  schema: () => ({}),
});

function mergeAnything(location: Location, definitions: readonly DefinitionRecord[]): unknown {
  if (definitions.every((each) => isRecord(each.value))) return attrsOf(anything).merge(location, definitions);
  if (definitions.length > 1 && definitions.every((each) => each.value instanceof FunctionValue)) {
    const functions = definitions.map((each) => ({
      each,
      call: (each.value as FunctionValue<(input: unknown) => unknown>).call,
    }));
    return (input: unknown): unknown =>
      new ElementCell(
        anything,
        location,
        "<function body>",
        functions.map(({ each, call }) => each.element(call(input))),
      ).force();
  }
  if (definitions.length === 1 && definitions[0]?.value instanceof FunctionValue) return definitions[0].value.call;
  return mergeEqual(location, definitions);
}

/** What an option without a type merges like: numbers must agree, lists join, records join, switches are or-ed. */
export const unspecified: OptionType<unknown, Scalar<AnyValue>> = mkOptionType({
  name: "unspecified",
  description: "unspecified value",
  descriptionClass: "noun",
  merge: mergeDefault,
  functor: { name: "unspecified", payload: undefined, merge: () => unspecified },
  schema: () => ({}),
});

function mergeDefault(location: Location, definitions: readonly DefinitionRecord[]): unknown {
  const values = definitions.map((each) => each.value);
  const [first] = values;
  if (values.length === 1) return deepFreeze(first);
  if (values.every((value) => Array.isArray(value))) return Object.freeze(values.flat());
  if (values.every((value) => isRecord(value) && recordSourceOf(value) === undefined))
    return deepFreeze(Object.assign({}, ...values));
  if (values.every((value) => typeof value === "boolean")) return values.includes(true);
  if (values.every((value) => typeof value === "string")) return values.join("");
  if (values.every((value) => equal(value, first))) return first;
  return mergeEqual(location, definitions);
}
