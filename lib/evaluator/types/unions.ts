/** Types that accept one of several things. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import { EvaluationError } from "../errors.ts";
import { closest } from "../levenshtein.ts";
import type { Location } from "../location.ts";
import { mergeChecked } from "../merge.ts";
import { elementFunctor, mergeOne, mkOptionType } from "./make.ts";
import { type AnyOptionType, embedDescription, mergeOptionTypes, type OptionType } from "./option-type.ts";

type Primitive = string | number | boolean | null;

/** One of the given values. Two declarations accept the values of both. */
function enumeration<const T extends readonly Primitive[]>(values: T): OptionType<T[number], Scalar<T[number]>> {
  const shown = values.map((value) => (value === null ? "<null>" : JSON.stringify(value)));
  return mkOptionType({
    name: "enum",
    description:
      shown.length === 0
        ? "impossible (empty enum)"
        : shown.length === 1
          ? `value ${shown[0]} (singular enum)`
          : `one of ${shown.join(", ")}`,
    descriptionClass: shown.length < 2 ? "noun" : "conjunction",
    scalar: true,
    check: (value) => values.includes(value as Primitive),
    why: (value) => {
      const words = values.filter((each) => typeof each === "string");
      const [near] = typeof value === "string" ? closest(value, words) : [];
      return near === undefined ? undefined : `${JSON.stringify(value)} looks like a slip for ${JSON.stringify(near)}`;
    },
    functor: {
      name: "enum",
      payload: values,
      merge: (other) => enumeration([...new Set([...values, ...(other as readonly Primitive[])])]),
    },
    schema: () => ({ enum: values }),
  });
}
export { enumeration as enum };

/** null or a value of the type; all definitions must agree on which. */
export function nullOr<R, W>(element: OptionType<R, W>): OptionType<R | null, W | Scalar<null>> {
  const { subModules, substSubModules } = element.fields;
  return mkOptionType({
    name: "nullOr",
    description: () => `null or ${embedDescription(element, ["noun", "conjunction"])}`,
    descriptionClass: "conjunction",
    scalar: element.scalar,
    check: (value) => value === null || element.check(value),
    why: (value) => element.fields.why?.(value),
    merge: (location, definitions) => mergeNullable(element, location, definitions),
    emptyValue: { value: null },
    functor: elementFunctor("nullOr", element, mergeOptionTypes, nullOr),
    nested: { element },
    elements: element.fields.elements,
    ...(element.fields.subOptions === undefined ? {} : { subOptions: element.fields.subOptions }),
    ...(subModules === undefined || substSubModules === undefined
      ? {}
      : { subModules, substSubModules: (modules: readonly unknown[]) => nullOr(substSubModules(modules)) }),
    schema: () => ({ anyOf: [{ type: "null" }, element.fields.schema?.() ?? {}] }),
  });
}

function mergeNullable(element: AnyOptionType, location: Location, definitions: readonly DefinitionRecord[]): unknown {
  const nulls = definitions.filter((each) => each.value === null).length;
  if (nulls === definitions.length) return null;
  if (nulls > 0) {
    throw new EvaluationError({ reason: "conflict", location, problem: "is both null and not null", definitions });
  }
  return element.merge(location, definitions);
}

/** All definitions of the first type, or all of the second. */
export function either<R1, W1, R2, W2>(a: OptionType<R1, W1>, b: OptionType<R2, W2>): OptionType<R1 | R2, W1 | W2> {
  return mkOptionType({
    name: "either",
    description: () =>
      a.descriptionClass === "nonRestrictiveClause"
        ? `${a.description}, or ${embedDescription(b, ["noun", "conjunction"])}`
        : `${embedDescription(a, ["noun", "conjunction"])} or ${embedDescription(b, ["noun", "conjunction", "composite"])}`,
    descriptionClass: "conjunction",
    scalar: a.scalar && b.scalar,
    check: (value) => a.check(value) || b.check(value),
    why: (value) => a.fields.why?.(value) ?? b.fields.why?.(value),
    merge: (location, definitions) => mergeEither(a, b, location, definitions),
    functor: {
      name: "either",
      payload: [a, b],
      merge: (other) => {
        const [otherA, otherB] = other as readonly [AnyOptionType, AnyOptionType];
        const left = mergeOptionTypes(a, otherA);
        const right = mergeOptionTypes(b, otherB);
        return left === undefined || right === undefined ? undefined : either(left, right);
      },
    },
    nested: { left: a, right: b },
    elements: [...(a.fields.elements ?? []), ...(b.fields.elements ?? [])],
    subOptions: (prefix) => [...(a.fields.subOptions?.(prefix) ?? []), ...(b.fields.subOptions?.(prefix) ?? [])],
    schema: () => ({ anyOf: [a.fields.schema?.() ?? {}, b.fields.schema?.() ?? {}] }),
  });
}

function mergeEither(
  a: AnyOptionType,
  b: AnyOptionType,
  location: Location,
  definitions: readonly DefinitionRecord[],
): unknown {
  if (definitions.every((each) => a.check(each.value))) return a.merge(location, definitions);
  if (definitions.every((each) => b.check(each.value))) return b.merge(location, definitions);
  throw new EvaluationError({
    reason: "conflict",
    location,
    problem: `mixes ${a.description} and ${b.description}`,
    definitions,
  });
}

/** `either` of several types, tried from the left. */
export function oneOf<T extends readonly [AnyOptionType, ...AnyOptionType[]]>(
  alternatives: T,
): T[number] extends OptionType<infer R, infer W> ? OptionType<R, W> : never {
  const [first, ...rest] = alternatives;
  const type =
    rest.length === 0
      ? first
      : rest
          .slice(0, -1)
          .reduceRight<AnyOptionType>((right, left) => either(left, right), rest[rest.length - 1] as AnyOptionType);
  // The reduction loses the static union, which the signature states.
  return (rest.length === 0 ? first : either(first, type)) as never;
}

function emptyOf(type: AnyOptionType) {
  return {
    ...(type.emptyValue === undefined ? {} : { emptyValue: type.emptyValue }),
    ...(type.fields.emptyByMerging === true ? { emptyByMerging: true } : {}),
  };
}

/** Values of `from` are converted to `to` before they merge. */
export function coercedTo<R1, W1, R2, W2>(
  from: OptionType<R1, W1>,
  convert: (value: R1) => R2,
  to: OptionType<R2, W2>,
): OptionType<R2, W1 | W2> {
  const coerced = (value: unknown): unknown => (from.check(value) ? convert(value as R1) : value);
  return mkOptionType({
    name: "coercedTo",
    description: () => `${embedDescription(to, ["noun"])} or ${embedDescription(from, ["noun"])} convertible to it`,
    check: (value) => (from.check(value) && to.check(coerced(value))) || to.check(value),
    why: (value) => to.fields.why?.(coerced(value)),
    merge: (location, definitions) =>
      mergeChecked(
        to,
        location,
        definitions.map((each) => each.inside(coerced(each.value))),
      ),
    ...emptyOf(to),
    nested: { from, to },
    elements: to.fields.elements,
    ...(to.fields.subOptions === undefined ? {} : { subOptions: to.fields.subOptions }),
    schema: () => ({ anyOf: [to.fields.schema?.() ?? {}, from.fields.schema?.() ?? {}] }),
  });
}

/** Exactly one definition; `message` says why. */
export function unique<R, W>(options: { readonly message: string }, type: OptionType<R, W>): OptionType<R, W> {
  return mkOptionType({
    ...type.fields,
    name: "unique",
    scalar: type.scalar,
    check: type.check,
    merge: (location, definitions) => {
      if (definitions.length > 1) mergeOne(location, definitions, options.message);
      return mergeChecked(type, location, definitions);
    },
    functor: elementFunctor("unique", type, mergeOptionTypes, (merged) => unique(options, merged)),
    nested: { element: type },
  });
}

/** `unique` without a message. */
export function uniq<R, W>(type: OptionType<R, W>): OptionType<R, W> {
  return unique({ message: "" }, type);
}

/** The type with a further check, which also holds when the option is declared twice. */
export function addCheck<R, W>(type: OptionType<R, W>, check: (value: R) => boolean, why?: string): OptionType<R, W> {
  const both = (value: unknown): boolean => type.check(value) && check(value as R);
  return mkOptionType({
    ...type.fields,
    check: both,
    why: (value) => (type.check(value) ? why : type.fields.why?.(value)),
    merge: type.merge,
    functor: {
      name: type.fields.functor?.name ?? type.name,
      payload: type.fields.functor?.payload,
      merge: (other) => {
        const merged = type.fields.functor?.merge(other);
        return merged === undefined ? undefined : addCheck(merged as OptionType<R, W>, check, why);
      },
    },
  });
}
