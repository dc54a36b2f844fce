import * as Data from "effect/Data";
import { suggest } from "./similar-names.ts";
import type { FlakeOutputs } from "./flake.ts";
import { systemConfig } from "./system-config.ts";

/** What a command line gives to the inputs of a flake's systems (`inputs.options`). */
export interface GivenInputs {
  /** From `--set NAME=VALUE`, as text. */
  readonly set: Readonly<Record<string, string>>;
  /** Of which only the variables count that inputs name. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `--set` names an input that no system declares, or gives it a value that it does not take. */
export class InvalidInputs extends Data.TaggedError("InvalidInputs")<{ readonly problems: readonly string[] }> {
  override get message(): string {
    return this.problems.join("\n");
  }
}

/** What is wrong with `--set`. Systems are only looked at when something is set. */
export function inputProblems({ systems }: Pick<FlakeOutputs, "systems">, set: GivenInputs["set"]): readonly string[] {
  const names = Object.keys(set);
  if (names.length === 0) return [];
  const inputs = Object.values(systems).flatMap((system) => systemConfig(system).inputs ?? []);
  const known = [...new Set(inputs.flatMap(({ options }) => Object.keys(options)))].sort();
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) return unknown.map((name) => unknownInput(name, known));
  // A system that has none of them may have other troubles, but they are not of this command line.
  const concerned = inputs.filter(({ options }) => names.some((name) => Object.hasOwn(options, name)));
  if (concerned.every((input) => names.every((name) => input.set[name] === undefined))) {
    return [
      "--set: this flake does not hand the command line's inputs on. Write evalSystem({ ...context, … }) with what its outputs are called with.",
    ];
  }
  return [...new Set(concerned.flatMap(({ problems }) => problems))];
}

function unknownInput(name: string, known: readonly string[]): string {
  if (known.length === 0)
    return `--set ${name}=…: no system of this flake declares inputs. Declare it in inputs.options.`;
  const close = suggest(name, known);
  const hint =
    close.length > 0
      ? `Did you mean ${close.map((each) => `'${each}'`).join(" or ")}?`
      : `There are: ${known.join(", ")}.`;
  return `--set ${name}=…: there is no input '${name}'. ${hint}`;
}
