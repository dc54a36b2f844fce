/** Building option types, and the ways definitions merge. */
import type { DefinitionRecord } from "../definition-record.ts";
import type { Scalar } from "../definition.ts";
import { EvaluationError } from "../errors.ts";
import type { Location } from "../location.ts";
import { deepFreeze, isRecord, recordSourceOf, toPlain } from "../records.ts";
import { type AnyOptionType, OptionType, type OptionTypeFields } from "./option-type.ts";

/** Makes a type; without `merge` all definitions must be equal. */
export function mkOptionType<R, W = Scalar<R>>(fields: OptionTypeFields): OptionType<R, W> {
  return new OptionType<R, W>(fields, mergeEqual);
}

/** A type whose values merge only with equal ones and which merges with itself when declared twice. */
export function simpleType<R, W = Scalar<R>>(
  fields: OptionTypeFields & { readonly payload?: unknown },
): OptionType<R, W> {
  const type: OptionType<R, W> = mkOptionType<R, W>({
    descriptionClass: "noun",
    scalar: true,
    functor: {
      name: fields.name,
      payload: fields.payload,
      merge: (other) => (Object.is(other, fields.payload) ? type : undefined),
    },
    ...fields,
  });
  return type;
}

/** All definitions must be equal; lists and records compare by content. */
export function mergeEqual(location: Location, definitions: readonly DefinitionRecord[]): unknown {
  const [first, ...rest] = definitions;
  for (const each of rest) {
    if (!equal(first?.value, each.value)) {
      throw new EvaluationError({ reason: "conflict", location, problem: "has conflicting values", definitions });
    }
  }
  return deepFreeze(first?.value);
}

/** Exactly one definition. */
export function mergeOne(location: Location, definitions: readonly DefinitionRecord[], message?: string): unknown {
  if (definitions.length > 1) {
    throw new EvaluationError({
      reason: "conflict",
      location,
      problem: `takes only one definition${message === undefined ? "" : ` (${message})`} but has ${definitions.length}`,
      definitions,
    });
  }
  return deepFreeze(definitions[0]?.value);
}

/** Structural equality of data; lazy records are computed. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((element, index) => equal(element, b[index]));
  }
  if (Array.isArray(b) || !isRecord(a) || !isRecord(b)) return false;
  const left = recordSourceOf(a) === undefined ? a : (toPlain(a) as Record<string, unknown>);
  const right = recordSourceOf(b) === undefined ? b : (toPlain(b) as Record<string, unknown>);
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}

/** A functor for types made of one other type. */
export function elementFunctor<T extends AnyOptionType>(
  name: string,
  element: AnyOptionType,
  merge: (a: AnyOptionType, b: AnyOptionType) => AnyOptionType | undefined,
  make: (element: AnyOptionType) => T,
): NonNullable<OptionTypeFields["functor"]> {
  return {
    name,
    payload: element,
    merge: (other) => {
      const merged = merge(element, other as AnyOptionType);
      return merged === undefined ? undefined : make(merged);
    },
  };
}
