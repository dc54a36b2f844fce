/**
 * The interfaces that modules extend by declaration merging.
 *
 * A module announces its options under a key of its own:
 *
 * ```ts
 * declare module "#lib/evaluator/config.ts" {
 *   interface Declarations { networking: typeof options }
 * }
 * ```
 *
 * All announced trees are intersected, so two modules may put options into one
 * namespace (`buildroot.*` and `buildroot.rpi.*`) without knowing of each other.
 */
import type { Definition, Definitions, Group } from "./definition.ts";
import type { OptionsOf } from "./evaluated-option.ts";
import type { ConfigOf } from "./option.ts";

/** Every announced option tree, under a key that names its module. */
// oxlint-disable-next-line typescript/no-empty-interface -- exists to be merged into
export interface Declarations {}

/** What every thunk receives as its second parameter; packages add `pkgs` and the like by merging. */
export interface ModuleArguments {
  /** The declared options as data: `options.networking.hostName.isDefined`. */
  readonly options: OptionsOf<Options>;
  /** The configuration of the outermost evaluation, also inside submodules. */
  readonly root: Config;
}

type Intersect<U> = (U extends unknown ? (member: U) => void : never) extends (member: infer I) => void ? I : never;

/** All announced options as one tree. */
export type Options = Intersect<Declarations[keyof Declarations]>;

/** What `config` reads as, in every thunk and in the result of `evalModules`. */
export interface Config extends ConfigOf<Options> {}

/** The scope of a module of the outermost evaluation. */
export interface RootScope {
  readonly config: Config;
  readonly arguments: ModuleArguments;
}

/** The scope of a submodule that declares the options `O`. */
export interface SubmoduleScope<O> {
  readonly config: ConfigOf<O>;
  readonly arguments: ModuleArguments & { readonly name: string };
}

/** What a module may put under `config`. */
export type ConfigDefinition = Definition<Group<Options>, RootScope>;

/** A plain part of it, to type helpers that return definitions. */
export type ConfigDefinitions = Definitions<Options, RootScope>;
