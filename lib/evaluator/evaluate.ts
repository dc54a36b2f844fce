/** `evalModules`: the entrance. */
import type { Config } from "./config.ts";
import { Evaluation } from "./evaluation.ts";
import { locationOf, type OptionPath } from "./location.ts";
import type { ModuleReference } from "./module.ts";
import { ModuleSource } from "./module-source.ts";
import { toPlain } from "./records.ts";

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
  /** A new evaluation of these modules and more. */
  extendModules(request: Partial<EvaluationRequest>): EvaluatedModules<C>;
  /** All of `config` as plain data, computing everything. */
  toPlain(): unknown;
}

/** Evaluates modules to a configuration. Nothing is computed before it is read. */
export function evalModules<C = Config>(request: EvaluationRequest): EvaluatedModules<C> {
  const importer = new ModuleSource("<evalModules>");
  const evaluation = new Evaluation({
    imports: request.modules.map((reference, index) => ({ reference, importer, anonymousKey: `:anon-${index + 1}` })),
    specialArguments: request.specialArgs ?? {},
    prefix: locationOf(request.prefix ?? []),
    class: request.class,
  });
  return {
    _type: "configuration",
    class: request.class,
    get config(): C {
      // The static type is announced by the modules, see Declarations.
      return evaluation.config as C;
    },
    extendModules: (more) =>
      evalModules<C>({
        ...request,
        ...more,
        modules: [...request.modules, ...(more.modules ?? [])],
        specialArgs: { ...request.specialArgs, ...more.specialArgs },
      }),
    toPlain: () => toPlain(evaluation.config),
  };
}
