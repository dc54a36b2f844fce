import type { Derivation, DerivationOutput } from "./derivation.ts";
import { DerivationAttributeError } from "./errors.ts";
import type { Source } from "./source.ts";
import { checkText, type TextFile } from "./text-file.ts";

/** A value in the arguments or the environment of a derivation. */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Derivation
  | DerivationOutput
  | TextFile
  | Source
  | readonly AttributeValue[];

/**
 * The string that a value becomes, by Nix's rules: integers in decimal, other numbers
 * with six decimals, `true` is "1", `false` and `null` are "", the items of
 * lists are joined by one space, and things in the store contribute their path.
 *
 * @param attribute where the value is, for messages
 * @throws DerivationAttributeError
 */
export function coerce(derivation: string, attribute: string, value: AttributeValue): string {
  if (typeof value === "string") {
    checkText(derivation, attribute, value);
    if (value.includes("\0")) throw new DerivationAttributeError(derivation, attribute, "has a NUL character");
    return value;
  }
  if (value === null) return "";
  switch (typeof value) {
    case "boolean":
      return value ? "1" : "";
    case "bigint":
      return value.toString();
    case "number":
      return coerceNumber(derivation, attribute, value);
    case "object":
      return isList(value)
        ? value.map((item, index) => coerce(derivation, `${attribute}[${index}]`, item)).join(" ")
        : coerceObject(derivation, attribute, value);
    default:
      // Only reached from untyped callers.
      throw new DerivationAttributeError(derivation, attribute, `a ${typeof value} has no string form`);
  }
}

function isList(value: object): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

function coerceNumber(derivation: string, attribute: string, value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21 || Number.isInteger(value)) {
    throw new DerivationAttributeError(derivation, attribute, `${value} has no exact decimal form; use a bigint`);
  }
  return value.toFixed(6);
}

function coerceObject(
  derivation: string,
  attribute: string,
  value: Derivation | DerivationOutput | TextFile | Source,
): string {
  switch (value._tag) {
    case "Derivation":
    case "DerivationOutput":
    case "TextFile":
    case "Source":
      return value.toString();
    default:
      // Only reached from untyped callers: a plain object would otherwise become "[object Object]".
      throw new DerivationAttributeError(
        derivation,
        attribute,
        "an object that is not in the store has no string form",
      );
  }
}
