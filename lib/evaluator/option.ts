/** Declaring options. */
import type { Config, ModuleArguments } from "./config.ts";
import type { AnyOption, Plain, readType, Scope, writeType } from "./definition.ts";
import type { OptionPath } from "./location.ts";
import type { Documentation } from "./documentation-text.ts";
import type { AnyOptionType, OptionType } from "./types/option-type.ts";

/**
 * How much of an option the documentation shows: `"shallow"` hides what is
 * below it, `"transparent"` only itself.
 */
export type Visibility = boolean | "shallow" | "transparent";

/** The fields of an option declaration. */
export interface OptionFields {
  readonly type: AnyOptionType;
  readonly default?: unknown;
  readonly defaultText?: Documentation | string;
  readonly example?: unknown;
  readonly description?: Documentation | string;
  readonly relatedPackages?: readonly string[];
  readonly apply?: (value: never) => unknown;
  readonly internal?: boolean;
  readonly visible?: Visibility;
  readonly readOnly?: boolean;
  /** Not to be shown where configurations are printed or recorded. */
  readonly sensitive?: boolean;
  /** Whether the order of the elements means nothing, as in a list of files: lints then compare them as a set. */
  readonly unordered?: boolean;
  /** Who reads the option, where no module does: a command, or nobody any more. Lints then do not ask. */
  readonly readBy?: string;
  /** Set by the migration modules: definitions go elsewhere. */
  readonly forward?: Forward;
}

/** An option whose definitions count for other options. */
export interface Forward {
  /** The option that takes over; absent for removed options. */
  readonly to?: OptionPath;
  /** Whether the option keeps its definitions and has a value of its own, from which another one is computed. */
  readonly keeps?: boolean;
  /** Whether definitions are forwarded; a thunk as for mkIf. */
  readonly condition?: unknown;
  /** Text for `warnings` when somebody defines the old option. */
  readonly warning?: (from: OptionPath, file: string) => string;
  /** Text for a failed assertion when somebody defines the old option. */
  readonly failure?: (from: OptionPath, file: string) => string;
  /** What reading the old option gives, from the value of the new one. */
  readonly use?: (value: unknown) => unknown;
}

/** A declared option. `R` is what `config` reads as, `W` describes what may be written. */
export class Option<R, W> implements AnyOption {
  readonly _type: "option";
  declare readonly [readType]: R;
  declare readonly [writeType]: W;
  readonly fields: OptionFields;
  constructor(fields: OptionFields) {
    this._type = "option";
    this.fields = fields;
  }
}

/** Whether a value is an option declaration. */
export function isOption(value: unknown): value is Option<unknown, unknown> {
  return value instanceof Option;
}

/** What `config` reads as for a tree of options. */
export type ConfigOf<O> = {
  readonly [K in keyof O]: O[K] extends AnyOption ? O[K][typeof readType] : ConfigOf<O[K]>;
};

/**
 * A default that depends on the configuration. Its result must be annotated,
 * `default: (config): string => …`, else the announced type of the options
 * would depend on itself. Inside a submodule the parameter is annotated too,
 * with the submodule's own configuration.
 */
export interface DefaultThunk<T, C, A> {
  (config: C, arguments_: A): T;
}

/** Declares an option. */
export function mkOption<R, W, A = R, C = Config, G = ModuleArguments>(declaration: {
  readonly type: OptionType<R, W>;
  /** Used when nothing defines the option. */
  readonly default?: NoInfer<Plain<W, Scope>> | DefaultThunk<NoInfer<Plain<W, Scope>>, C, G>;
  /** What documentation shows instead of the default. */
  readonly defaultText?: Documentation | string;
  readonly example?: NoInfer<Plain<W, Scope>> | Documentation;
  readonly description?: Documentation | string;
  readonly relatedPackages?: readonly string[];
  /** Converts the merged value before anyone reads it. */
  readonly apply?: (value: R) => A;
  /** Not for users; hidden from documentation. */
  readonly internal?: boolean;
  readonly visible?: Visibility;
  /** Set at most once, default included. */
  readonly readOnly?: boolean;
  /** Not to be shown where configurations are printed or recorded. */
  readonly sensitive?: boolean;
  /** Whether the order of the elements means nothing, as in a list of files: lints then compare them as a set. */
  readonly unordered?: boolean;
  /** Who reads the option, where no module does: a command, or nobody any more. Lints then do not ask. */
  readonly readBy?: string;
}): Option<A, W> {
  return new Option<A, W>(declaration);
}
