import type * as Effect from "effect/Effect";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import type { ActionError } from "./exit-codes.ts";

/*
 * Commands as data. One table serves the two readers of the command line: the plain one, which knows what is
 * well-formed and loads nothing, and effect/cli, which also explains: help, completions, mistakes.
 */

/** What a flag's value has to be; what `read` finds wanting it answers with undefined. */
export type ValueForm =
  | { readonly type: "text" }
  | { readonly type: "choice"; readonly choices: readonly string[] }
  | { readonly type: "integer"; readonly least?: number }
  | { readonly type: "number" }
  | { readonly type: "other"; readonly expected: string; readonly read: (text: string) => unknown };

/** `--name`, true or false. */
export interface Switch {
  readonly kind: "switch";
  readonly name: string;
  readonly alias?: string;
  readonly description: string;
}

/** `--name VALUE`; `fallback` is its value where it is not given. */
export interface ValueFlag {
  readonly kind: "value";
  readonly name: string;
  readonly alias?: string;
  readonly metavar?: string;
  readonly description: string;
  readonly form: ValueForm;
  readonly fallback?: unknown;
}

/** `--name NAME=VALUE`, any number of times; of two values for one name the last counts. */
export interface AssignmentsFlag {
  readonly kind: "assignments";
  readonly name: string;
  readonly description: string;
}

/** A word of its own; `many` are all that are left. */
export interface Argument {
  readonly kind: "argument";
  readonly name: string;
  readonly description: string;
  readonly many: boolean;
}

/** A flag or an argument whose value has the type A. */
export type Parameter<A = unknown> = (Switch | ValueFlag | AssignmentsFlag | Argument) & {
  /** Only for the compiler. */
  readonly value?: A;
};

/** Flags and arguments by the names under which an action reads them; arguments in their order. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** What an action is given. */
export type InputOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer A> ? A : never;
};

/** How a command is used, with what it does. */
export interface Example {
  readonly command: string;
  readonly description: string;
}

/** One command. */
export interface Command<P extends Parameters = Parameters> {
  readonly name: string;
  readonly description: string;
  readonly examples: readonly Example[];
  readonly parameters: P;
  /**
   * Loads what it does. What is left to do then is an Effect; undefined if nothing is, so that Effect's fibers need not
   * be loaded at all.
   */
  // A method, so that every command is a Command: whoever runs one has read its input by its own parameters.
  run(flake: LocatedFlake, input: InputOf<P>): Promise<Effect.Effect<void, ActionError> | undefined>;
}

/** Commands that share their first word. */
export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  readonly commands: readonly Command[];
}

/** Infers what an action is given from the parameters. */
export const defineCommand = <const P extends Parameters>(command: Command<P>): Command => command;

/** The name, and what else tells it from others. */
type Named<T> = Omit<T, "kind" | "name" | "description" | "form" | "fallback">;

/** A switch, off by default. */
export const switchFlag = (name: string, description: string, rest: Named<Switch> = {}): Parameter<boolean> => ({
  kind: "switch",
  name,
  description,
  ...rest,
});

const valueFlag =
  <A>(form: ValueForm) =>
  (name: string, description: string, rest: Named<ValueFlag> = {}): Parameter<A | undefined> => ({
    kind: "value",
    name,
    description,
    form,
    ...rest,
  });

/** A flag that takes any text. */
export const textFlag = valueFlag<string>({ type: "text" });

/** A flag that takes a whole number of at least 1. */
export const countFlag = valueFlag<number>({ type: "integer", least: 1 });

/** A flag that takes a whole number. */
export const integerFlag = valueFlag<number>({ type: "integer" });

/** A flag that takes a whole number of at least 0. */
export const naturalFlag = valueFlag<number>({ type: "integer", least: 0 });

/** A flag that takes a number. */
export const numberFlag = valueFlag<number>({ type: "number" });

/** A flag that takes one of some words. */
export const choiceFlag = <const Choice extends string>(
  name: string,
  choices: readonly Choice[],
  description: string,
): Parameter<Choice | undefined> => valueFlag<Choice>({ type: "choice", choices })(name, description);

/** The same flag, with a value where it is not given. */
export const withFallback = <A>(flag: Parameter<A | undefined>, fallback: A): Parameter<A> =>
  ({ ...flag, fallback }) as Parameter<A>;

/** A flag whose value is read by a function, which answers anything else with undefined. */
export const otherFlag = <A>(
  name: string,
  description: string,
  {
    expected,
    read,
    ...rest
  }: Named<ValueFlag> & {
    readonly expected: string;
    readonly read: (text: string) => A | undefined;
  },
): Parameter<A | undefined> => valueFlag<A>({ type: "other", expected, read })(name, description, rest);

/** A flag that gives values to names. */
export const assignmentsFlag = (name: string, description: string): Parameter<Readonly<Record<string, string>>> => ({
  kind: "assignments",
  name,
  description,
});

/** Name and value of an assignment; undefined for any other text. */
export function readAssignment(text: string): readonly [name: string, value: string] | undefined {
  const equals = text.indexOf("=");
  return equals < 1 ? undefined : [text.slice(0, equals), text.slice(equals + 1)];
}

/** One argument. */
export const argument = (name: string, description: string): Parameter<string> => ({
  kind: "argument",
  name,
  description,
  many: false,
});

/** All arguments that are left, of which there may be none. */
export const manyArguments = (name: string, description: string): Parameter<readonly string[]> => ({
  kind: "argument",
  name,
  description,
  many: true,
});
