/** `evalModules`: the entrance. */
import "./data-modules.ts";
import "./places.ts";
import type { Config, Options } from "./config.ts";
import { type OptionsOf, optionsOfEvaluation } from "./evaluated-option.ts";
import type { ModuleGraphNode } from "./collect.ts";
import { Evaluation, type EvaluationInput } from "./evaluation.ts";
import { onOptionsView } from "./arguments.ts";
import { locationOf, type OptionPath } from "./location.ts";
import { adoptable, type Replacement, replaceDefinitions } from "./incremental.ts";
import type { Module, ModuleReference } from "./module.ts";
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

export type { Replacement } from "./incremental.ts";

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
  /** The modules by who imports them, those that are switched off included. */
  readonly graph: readonly ModuleGraphNode[];
  /** A submodule type that evaluates the same modules. */
  readonly type: AnyOptionType;
  /** A new evaluation of these modules and more. It takes over values that cannot differ. */
  extendModules(request: Partial<EvaluationRequest>): EvaluatedModules<C>;
  /**
   * Puts a module in the place of one of `modules`, in this evaluation: from
   * now on `config` reads the new state. Only options whose definitions differ,
   * and those computed from them, are computed again.
   */
  replaceModule(before: Module, after: Module): Replacement;
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
  return new EvaluatedConfiguration<C>(request, undefined);
}

const importer = new ModuleSource("<evalModules>");

/** An evaluation as the rest of the evaluator sees it. */
export function newEvaluation(
  request: EvaluationRequest,
  reorder?: EvaluationInput["reorder"],
  donor?: Evaluation,
  own: Readonly<Record<string, unknown>> = {},
): Evaluation {
  return new Evaluation({
    imports: request.modules.map((reference, index) => ({ reference, importer, anonymousKey: `:anon-${index + 1}` })),
    specialArguments: request.specialArgs ?? {},
    own,
    prefix: locationOf(request.prefix ?? []),
    class: request.class,
    reorder,
    donor: donor === undefined ? undefined : { evaluation: donor, adopt: adoptable },
  });
}

/** The evaluation behind the result of `evalModules`, for documentation and lints. */
export function evaluationOf(evaluated: object): Evaluation {
  if (evaluated instanceof EvaluatedConfiguration) return evaluated.internal;
  throw new TypeError("expected the result of evalModules");
}

/** What the result of `evalModules` was made from. */
export function requestOf(evaluated: object): EvaluationRequest {
  if (evaluated instanceof EvaluatedConfiguration) return evaluated.origin;
  throw new TypeError("expected the result of evalModules");
}

class EvaluatedConfiguration<C> implements EvaluatedModules<C> {
  readonly _type = "configuration";
  private request: EvaluationRequest;
  private evaluation: Evaluation;
  private madeType: AnyOptionType | undefined = undefined;

  constructor(request: EvaluationRequest, donor: Evaluation | undefined) {
    this.request = request;
    this.evaluation = this.evaluate(donor);
  }

  private evaluate(donor: Evaluation | undefined): Evaluation {
    const makeType = (): AnyOptionType => this.type;
    return newEvaluation(this.request, undefined, donor, {
      extendModules: (more: Partial<EvaluationRequest>) => this.extendModules(more),
      get moduleType(): AnyOptionType {
        return makeType();
      },
    });
  }

  get internal(): Evaluation {
    return this.evaluation;
  }
  get origin(): EvaluationRequest {
    return this.request;
  }
  get class(): string | undefined {
    return this.request.class;
  }
  // The static types of config and options are announced by the modules, see Declarations.
  get config(): C {
    return this.evaluation.config as C;
  }
  get options(): OptionsOf<Options> {
    return optionsOfEvaluation(this.evaluation).record as OptionsOf<Options>;
  }
  get _module(): EvaluatedModules<C>["_module"] {
    return {
      args: this.evaluation.builtIn("args").force() as Readonly<Record<string, unknown>>,
      check: this.evaluation.builtIn("check").force() as boolean,
    };
  }
  get graph(): readonly ModuleGraphNode[] {
    return this.evaluation.graph;
  }
  get type(): AnyOptionType {
    const { modules, specialArgs = {}, class: name } = this.request;
    return (this.madeType ??= submoduleWith({ modules, specialArgs, ...(name === undefined ? {} : { class: name }) }));
  }
  get schema(): JsonSchema {
    return this.evaluation.schema;
  }

  extendModules(more: Partial<EvaluationRequest>): EvaluatedModules<C> {
    const { request } = this;
    const extended = {
      ...request,
      ...more,
      modules: [...request.modules, ...(more.modules ?? [])],
      specialArgs: { ...request.specialArgs, ...more.specialArgs },
    };
    // Other arguments reach thunks in ways that nobody records.
    const sameArguments = more.specialArgs === undefined && more.prefix === undefined && more.class === undefined;
    return new EvaluatedConfiguration<C>(extended, sameArguments ? this.evaluation : undefined);
  }

  replaceModule(before: Module, after: Module): Replacement {
    const index = this.request.modules.indexOf(before);
    if (index < 0) throw new TypeError("replaceModule: the module to replace is not one of this evaluation's modules");
    this.request = { ...this.request, modules: this.request.modules.map((each) => (each === before ? after : each)) };
    this.madeType = undefined;
    const replacement = this.exchange(before, after);
    if (replacement !== undefined && !replacement.everything) return replacement;
    this.evaluation = this.evaluate(undefined);
    return { affected: [], everything: true };
  }

  /** Exchanges definitions in place, if nothing but `config` differs and nothing is undeclared. */
  private exchange(before: Module, after: Module): Replacement | undefined {
    const parts = ["imports", "disabledModules", "options", "freeformType", "key", "class", "meta"] as const;
    if (!("config" in before) || !("config" in after) || parts.some((part) => before[part] !== after[part]))
      return undefined;
    const loaded = this.evaluation.modules.find((each) => each.source.module === before);
    if (loaded === undefined || this.evaluation.unmatched.length > 0 || this.evaluation.freeformType !== undefined)
      return undefined;
    const source = new ModuleSource(loaded.source.name, after.file, after);
    const replaced = { ...loaded, source, config: after.config };
    const replacement = replaceDefinitions(this.evaluation, loaded, replaced);
    this.evaluation.replaceLoaded(loaded, replaced);
    return replacement;
  }

  toPlain(): unknown {
    return this.evaluation.readWhole(toPlain);
  }
  toJson(): string {
    return this.evaluation.readWhole(toJson);
  }
}
