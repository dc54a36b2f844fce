/** Types of single values: switches, numbers, strings. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import type { Location } from "../location.ts";
import { elementFunctor, mkOptionType, simpleType } from "./make.ts";
import { embedDescription, mergeOptionTypes, type OptionType } from "./option-type.ts";

/** true or false. */
export const bool: OptionType<boolean, Scalar<boolean>> = simpleType({
  name: "bool",
  description: "boolean",
  check: (value) => typeof value === "boolean",
  schema: () => ({ type: "boolean" }),
});

/** true if any definition is true. */
export const boolByOr: OptionType<boolean, Scalar<boolean>> = simpleType({
  name: "boolByOr",
  description: "boolean (merged using or)",
  check: (value) => typeof value === "boolean",
  merge: (_location, definitions) => definitions.some((each) => each.value === true),
  schema: () => ({ type: "boolean" }),
});

/** Any whole number that a double holds exactly. */
export const int: OptionType<number, Scalar<number>> = simpleType({
  name: "int",
  description: "signed integer",
  check: Number.isSafeInteger,
  why: (value) => (typeof value === "number" ? `${value} is no integer` : undefined),
  schema: () => ({ type: "integer" }),
});

/** Any finite number. */
export const number: OptionType<number, Scalar<number>> = simpleType({
  name: "number",
  description: "signed integer or floating point number",
  descriptionClass: "conjunction",
  check: Number.isFinite,
  schema: () => ({ type: "number" }),
});

/** Any finite number; JavaScript does not tell 1 from 1.0. */
export const float: OptionType<number, Scalar<number>> = simpleType({
  name: "float",
  description: "floating point number",
  check: Number.isFinite,
  schema: () => ({ type: "number" }),
});

/** One string. */
export const str: OptionType<string, Scalar<string>> = simpleType({
  name: "str",
  description: "string",
  check: isString,
  schema: () => ({ type: "string" }),
});

/** A string with more than blanks in it. */
export const nonEmptyStr: OptionType<string, Scalar<string>> = simpleType({
  name: "nonEmptyStr",
  description: "non-empty string",
  check: (value) => isString(value) && /[^ \t\n]/u.test(value),
  why: (value) => (isString(value) ? "it is blank" : undefined),
  schema: () => ({ type: "string", title: "non-empty string", pattern: "[^ \\t\\n]" }),
});

/** A string without line breaks; one at the end is dropped. */
export const singleLineStr: OptionType<string, Scalar<string>> = mkOptionType({
  name: "singleLineStr",
  description: "(optionally newline-terminated) single-line string",
  descriptionClass: "noun",
  check: (value) => isString(value) && /^[^\n\r]*\n?$/u.test(value),
  why: (value) => (isString(value) ? "it has several lines" : undefined),
  merge: (location, definitions) => {
    const merged = str.merge(location, definitions);
    return typeof merged === "string" && merged.endsWith("\n") ? merged.slice(0, -1) : merged;
  },
  functor: { name: "singleLineStr", payload: undefined, merge: () => singleLineStr },
  schema: () => ({ type: "string", title: "single-line string", pattern: "^[^\\n\\r]*\\n?$" }),
});

/** A string that matches a pattern as a whole. */
export function strMatching(pattern: RegExp | string): OptionType<string, Scalar<string>> {
  const text = typeof pattern === "string" ? pattern : pattern.source;
  const whole = new RegExp(`^(?:${text})$`, "u");
  return simpleType({
    name: `strMatching ${JSON.stringify(text)}`,
    description: `string matching the pattern ${text}`,
    check: (value) => isString(value) && whole.test(value),
    why: (value) => (isString(value) ? `it does not match ${text}` : undefined),
    payload: text,
    schema: () => ({ type: "string", pattern: whole.source }),
  });
}

/** Strings joined by a separator, in merge order. */
export function separatedString(separator: string): OptionType<string, Scalar<string>> {
  return simpleType({
    name: "separatedString",
    description: `strings concatenated with ${JSON.stringify(separator)}`,
    check: isString,
    merge: (_location: Location, definitions: readonly DefinitionRecord[]) =>
      definitions.map((each) => each.value).join(separator),
    payload: separator,
    schema: () => ({ type: "string" }),
  });
}

/** Strings joined by line breaks. */
export const lines: OptionType<string, Scalar<string>> = separatedString("\n");
/** Strings joined by commas. */
export const commas: OptionType<string, Scalar<string>> = separatedString(",");
/** Strings joined by colons, as in PATH. */
export const envVar: OptionType<string, Scalar<string>> = separatedString(":");

/** A field of /etc/passwd: the type without colons and line breaks. */
export function passwdEntry<R, W>(type: OptionType<R, W>): OptionType<R, W> {
  const safe = (value: unknown): boolean => !/[:\n]/u.test(String(value));
  const checked: OptionType<R, W> = mkOptionType({
    ...type.fields,
    name: "passwdEntry",
    description: () => `${embedDescription(type, ["noun"])}, not containing newlines or colons`,
    descriptionClass: "nonRestrictiveClause",
    check: (value) => type.check(value) && safe(value),
    why: (value) =>
      type.check(value) && !safe(value) ? "it contains a colon or a line break" : type.fields.why?.(value),
    merge: type.merge,
    functor: elementFunctor("passwdEntry", type, mergeOptionTypes, passwdEntry),
  });
  return checked;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
