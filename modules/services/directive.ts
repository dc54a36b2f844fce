import { mkOption, types } from "#lib/evaluator/index.ts";

/** A directive with one value, written as it is. */
export const text = (description: string) =>
  mkOption({ type: types.nullOr(types.singleLineStr), default: null, description });

/** A directive that may be written several times. */
export const lines = (description: string) =>
  mkOption({
    type: types.nullOr(types.either(types.singleLineStr, types.listOf(types.singleLineStr))),
    default: null,
    description,
  });

/** Written as `yes` or `no`. */
export const flag = (description: string) => mkOption({ type: types.nullOr(types.bool), default: null, description });

/** A whole number. */
export const whole = (description: string) => mkOption({ type: types.nullOr(types.int), default: null, description });

/** A number of seconds or bytes, or a text with a unit. */
export const span = (description: string) =>
  mkOption({ type: types.nullOr(types.either(types.int, types.singleLineStr)), default: null, description });

/** One of some words. */
export const choice = <const Values extends readonly string[]>(values: Values, description: string) =>
  mkOption({ type: types.nullOr(types.enum(values)), default: null, description });

/** `yes`, `no`, or one of some words. */
export const flagOr = <const Values extends readonly string[]>(values: Values, description: string) =>
  mkOption({ type: types.nullOr(types.either(types.bool, types.enum(values))), default: null, description });

/** The options of one section of a unit file. */
export function section<Directives extends Parameters<typeof types.submodule>[0]["options"]>(
  directives: Directives,
  description: string,
) {
  return mkOption({ type: types.submodule({ options: directives }), default: {}, description });
}

/** The options of a section that a file may have several times. */
export function sections<Directives extends Parameters<typeof types.submodule>[0]["options"]>(
  directives: Directives,
  description: string,
) {
  return mkOption({ type: types.listOf(types.submodule({ options: directives })), default: [], description });
}
