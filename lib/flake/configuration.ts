/** Systems that are described by a TOML or JSON file, rather than by a flake's own modules. */
import * as Data from "effect/Data";
import * as Result from "effect/Result";
import { existsSync } from "node:fs";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { BootCheck } from "./check.ts";
import type { FlakeOutputs, FlakeSystem } from "./flake.ts";
import type { Installable } from "./installable.ts";

/** What a flake makes of a configuration file. Lazy where they are getters. */
export interface Configuration {
  /** Of the system. */
  readonly name: string;
  readonly system: FlakeSystem;
  /** What `build FILE` builds. */
  readonly package: Derivation;
  /** What `check FILE` runs. */
  readonly check: BootCheck;
}

/** The file named on the command line is not there. */
export class MissingConfiguration extends Data.TaggedError("MissingConfiguration")<{
  readonly text: string;
  readonly file: string;
}> {
  override get message(): string {
    return `${this.text}: there is no file ${this.file}. Paths start at the directory that the command is run in.`;
  }
}

/** The flake makes no systems from files. */
export class NoConfigurations extends Data.TaggedError("NoConfigurations")<{ readonly text: string }> {
  override get message(): string {
    return `${this.text}: this flake makes no systems from configuration files: its outputs have no function 'configuration'.`;
  }
}

/**
 * What the flake makes of the file that an installable names; undefined when it
 * names none. Asked twice for one file, it is the same.
 */
export function selectConfiguration(
  outputs: FlakeOutputs,
  { text, file }: Installable,
): Result.Result<Configuration | undefined, MissingConfiguration | NoConfigurations> {
  if (file === undefined) return Result.succeed(undefined);
  if (outputs.configuration === undefined) return Result.fail(new NoConfigurations({ text }));
  if (!existsSync(file)) return Result.fail(new MissingConfiguration({ text, file }));
  return Result.succeed(outputs.configuration(file));
}

/** The same outputs, and a record of the files that were asked for, so that each is evaluated once. */
export function recordConfigurations(outputs: FlakeOutputs): {
  readonly outputs: FlakeOutputs;
  readonly made: ReadonlyMap<string, Configuration>;
} {
  const made = new Map<string, Configuration>();
  const make = outputs.configuration;
  if (make === undefined) return { outputs, made };
  const configuration = (file: string): Configuration => {
    const known = made.get(file) ?? make(file);
    made.set(file, known);
    return known;
  };
  // Other outputs may be getters, which only their readers should ask.
  const descriptors = { ...Object.getOwnPropertyDescriptors(outputs), configuration: { value: configuration } };
  return { outputs: Object.defineProperties({} as FlakeOutputs, descriptors), made };
}
