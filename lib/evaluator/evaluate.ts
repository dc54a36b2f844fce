/** `evalModules`: the entrance. */
import "./data-modules.ts";
import "./places.ts";
import type { Config, Options } from "./config.ts";
import { type OptionsOf, optionsOfEvaluation } from "./evaluated-option.ts";
import { Evaluation, onOptionsView } from "./evaluation.ts";
import { locationOf, type OptionPath } from "./location.ts";
import type { ModuleReference } from "./module.ts";
import { ModuleSource } from "./module-source.ts";
import { toJson, toPlain } from "./records.ts";
import type { JsonSchema } from "./schema.ts";
import type { AnyOptionType } from "./types/option-type.ts";
import { submoduleWith } from "./types/submodules.ts";

/** What an evaluation starts from. */
export interface EvaluationRequest {
  readonly modules: readonly ModuleReference[];
  /** Arguments that are available everywhere, also while imports are being found. */
  readonly specialArgs?: Readonly<Record<string, unknown>>;
  readonly prefix?: OptionPath;
  /** The class that modules must have if they name one. */
  readonly class?: string;
}

/** An evaluated configuration. */
export interface EvaluatedModules<C> {
  readonly _type: "configuration";
  readonly class: string | undefined;
  /** Lazy, memoised, frozen. Reading it first checks that every definition has an option. */
  readonly config: C;
  /** All options as data: values, definitions, provenance. */
  readonly options: OptionsOf<Options>;
  /** The values of the built-in options. */
  readonly _module: { readonly args: Readonly<Record<string, unknown>>; readonly check: boolean };
  /** A submodule type that evaluates the same modules. */
  readonly type: AnyOptionType;
  /** A new evaluation of these modules and more. */
  extendModules(request: Partial<EvaluationRequest>): EvaluatedModules<C>;
  /** The JSON Schema of what TOML and JSON modules may define. */
  readonly schema: JsonSchema;
  /** All of `config` as plain data, computing everything. */
  toPlain(): unknown;
  /** All of `config` as compact JSON with sorted keys. */
  toJson(): string;
}

onOptionsView(optionsOfEvaluation);

/** Evaluates modules to a configuration. Nothing is computed before it is read. */
export function evalModules<C = Config>(request: EvaluationRequest): EvaluatedModules<C> {
  const importer = new ModuleSource("<evalModules>");
  const extendModules = (more: Partial<EvaluationRequest>): EvaluatedModules<C> =>
    evalModules<C>({
      ...request,
      ...more,
      modules: [...request.modules, ...(more.modules ?? [])],
      specialArgs: { ...request.specialArgs, ...more.specialArgs },
    });
  const makeType = (): AnyOptionType =>
    submoduleWith({
      modules: request.modules,
      specialArgs: request.specialArgs ?? {},
      ...(request.class === undefined ? {} : { class: request.class }),
    });
  let type: AnyOptionType | undefined;
  const evaluation = new Evaluation({
    imports: request.modules.map((reference, index) => ({ reference, importer, anonymousKey: `:anon-${index + 1}` })),
    specialArguments: request.specialArgs ?? {},
    own: {
      extendModules,
      get moduleType(): AnyOptionType {
        return (type ??= makeType());
      },
    },
    prefix: locationOf(request.prefix ?? []),
    class: request.class,
  });
  return {
    _type: "configuration",
    class: request.class,
    // The static types are announced by the modules, see Declarations.
    get config(): C {
      return evaluation.config as C;
    },
    get options(): OptionsOf<Options> {
      return optionsOfEvaluation(evaluation).record as OptionsOf<Options>;
    },
    get _module(): EvaluatedModules<C>["_module"] {
      return {
        args: evaluation.builtIn("args").force() as Readonly<Record<string, unknown>>,
        check: evaluation.builtIn("check").force() as boolean,
      };
    },
    get type(): AnyOptionType {
      return (type ??= makeType());
    },
    get schema(): JsonSchema {
      return evaluation.schema;
    },
    extendModules,
    toPlain: () => toPlain(evaluation.config),
    toJson: () => toJson(evaluation.config),
  };
}
