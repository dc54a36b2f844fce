/** The evaluator without static types: conformance tests write what the compiler would refuse. */
import "#lib/platform/source-files.ts";
import * as evaluator from "#lib/evaluator/index.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- the point of this file
export type Loose = any;

interface Untyped {
  mkIf(condition: unknown, content: unknown): Loose;
  mkMerge(contents: unknown): Loose;
  mkOverride(priority: unknown, content: unknown): Loose;
  mkOptionDefault(content: unknown): Loose;
  mkDefault(content: unknown): Loose;
  mkForce(content: unknown): Loose;
  mkOrder(priority: number, content: unknown): Loose;
  mkBefore(content: unknown): Loose;
  mkAfter(content: unknown): Loose;
  mkDefinition(definition: { readonly file: string; readonly value: unknown }): Loose;
  mkOption(declaration: Loose): Loose;
  mkFunction(call: (input: Loose) => unknown): Loose;
  types: Loose;
}

export const {
  mkAfter,
  mkBefore,
  mkDefault,
  mkDefinition,
  mkForce,
  mkFunction,
  mkIf,
  mkMerge,
  mkOption,
  mkOptionDefault,
  mkOrder,
  mkOverride,
  types,
} = evaluator as unknown as Untyped;

/** An option of a type, with further fields. */
export const opt = (type: Loose, fields: object = {}): Loose => mkOption({ type, ...fields });

/** A submodule type with these options. */
export const sub = (options: object): Loose => types.submodule({ options });

/** Evaluates modules given as `{ options, config }` or as bare configuration. */
export const evaluate = (...modules: readonly Loose[]): Loose => evaluator.evalModules<Loose>({ modules });

/** The configuration of `evaluate`. */
export const configOf = (...modules: readonly Loose[]): Loose => evaluate(...modules).config;

/** Configuration as plain data. */
export const plain = (value: unknown): Loose => evaluator.toPlain(value);

/** The error a computation ends in. */
export function failure(compute: () => unknown): evaluator.EvaluationError {
  try {
    const value = compute();
    throw new Error(`expected an error, got ${JSON.stringify(value)}`);
  } catch (error) {
    if (error instanceof evaluator.EvaluationError) return error;
    throw error;
  }
}

/** The reason a computation fails for. */
export const reason = (compute: () => unknown): string => failure(compute).reason;

/** A value that must not be computed. */
export const never = (): never => {
  throw new Error("must not be computed");
};
