/** Options whose values are evaluations of their own. */
import { collectModules, type Import } from "../collect.ts";
import type { SubmoduleScope } from "../config.ts";
import type { DefinitionRecord, ThunkScope } from "../definition-record.ts";
import type { AttrsOf, Definition, OpenTree, Tree } from "../definition.ts";
import { Evaluation } from "../evaluation.ts";
import { GroupNode, OptionCell } from "../nodes.ts";
import type { Location, OptionPath } from "../location.ts";
import { type ModuleReference, recordCallSite } from "../module.ts";
import { ModuleSource } from "../module-source.ts";
import type { ConfigOf } from "../option.ts";
import { isRecord } from "../records.ts";
import { type JsonSchema, schemaOfShape } from "../schema.ts";
import { type ShapeNode, shapeOf } from "../shape.ts";
import { type AnyOptionType, OptionType, type SubOptions } from "./option-type.ts";
import type { LoadedModule } from "../collect.ts";

/** How definitions of a submodule option are read. */
export interface SubmoduleOptions {
  readonly modules: readonly ModuleReference[];
  readonly specialArgs?: Readonly<Record<string, unknown>>;
  /** Whether a definition is configuration only, so that keys like `imports` and `options` are options. */
  readonly shorthandOnlyDefinesConfig?: boolean;
  readonly description?: string;
  readonly class?: string;
  /** Definitions of an evaluation that its own `moduleType` takes along. */
  readonly bound?: readonly Import[];
}

/** A submodule type whose own configuration can be added to. */
export class SubmoduleType<O, R, W> extends OptionType<R, W> {
  readonly options: SubmoduleOptions;
  constructor(options: SubmoduleOptions) {
    super(fieldsOf(options), mergeNothing);
    this.options = options;
    Object.freeze(this);
  }

  /** The same type with configuration of its own, whose thunks receive the submodule's config. */
  withConfig(config: Definition<Tree<O>, SubmoduleScope<O>>): SubmoduleType<O, R, W> {
    const module = { name: "submodule", config };
    recordCallSite(module, this.withConfig);
    return new SubmoduleType({ ...this.options, modules: [...this.options.modules, module] });
  }
}

function mergeNothing(): never {
  throw new TypeError("a submodule type brings its own merge function");
}

/** A record with declared options, evaluated like a configuration of its own. */
export function submodule<O extends object>(module: {
  readonly options: O;
  readonly imports?: readonly ModuleReference[];
}): SubmoduleType<O, ConfigOf<O>, Tree<O>>;
export function submodule<O extends object, R, W>(module: {
  readonly options: O;
  readonly imports?: readonly ModuleReference[];
  readonly freeformType: OptionType<{ readonly [name: string]: R }, AttrsOf<W>>;
}): SubmoduleType<O, ConfigOf<O> & { readonly [name: string]: R }, OpenTree<O, W>>;
export function submodule(module: {
  readonly options: object;
  readonly imports?: readonly ModuleReference[];
  readonly freeformType?: AnyOptionType;
}): AnyOptionType {
  recordCallSite(module, submodule);
  return new SubmoduleType({ modules: [module], shorthandOnlyDefinesConfig: true });
}

/** A submodule of any modules, without static types. */
export function submoduleWith(options: SubmoduleOptions): SubmoduleType<object, object, Tree<object>> {
  return new SubmoduleType(options);
}

function fieldsOf(options: SubmoduleOptions): ConstructorParameters<typeof OptionType>[0] {
  const { shorthandOnlyDefinesConfig = false } = options;
  const plan = new SubmodulePlan(options);
  return {
    name: "submodule",
    description: () => options.description ?? plan.description,
    descriptionClass: options.description === undefined ? undefined : "noun",
    check: (value) =>
      isRecord(value) || (!shorthandOnlyDefinesConfig && (typeof value === "function" || typeof value === "string")),
    merge: (location, definitions) => plan.evaluate(location, definitions).config,
    emptyByMerging: true,
    subModules: options.modules,
    substSubModules: (modules) => new SubmoduleType({ ...options, modules: modules as readonly ModuleReference[] }),
    functor: {
      name: "submodule",
      payload: options,
      merge: (other) => mergeSubmodules(options, other as SubmoduleOptions),
    },
    schema: () => plan.schema,
    elements: plan.freeformType?.fields.elements,
    subOptions: (prefix) => plan.documentation(prefix),
  };
}

function mergeSubmodules(a: SubmoduleOptions, b: SubmoduleOptions): AnyOptionType | undefined {
  if (a.class !== undefined && b.class !== undefined && a.class !== b.class) return undefined;
  if ((a.shorthandOnlyDefinesConfig ?? false) !== (b.shorthandOnlyDefinesConfig ?? false)) return undefined;
  const specialArgs = { ...a.specialArgs, ...b.specialArgs };
  return new SubmoduleType({ ...b, ...a, specialArgs, modules: [...a.modules, ...b.modules] });
}

const none: Readonly<Record<string, unknown>> = {};
const noImports: readonly Import[] = [];

/** What all evaluations of one submodule type share: loaded modules and the tree of options. */
class SubmodulePlan {
  readonly options: SubmoduleOptions;
  private loaded: { readonly modules: readonly LoadedModule[]; readonly shape: ShapeNode } | undefined = undefined;

  /** Whether the modules are the same whatever the arguments. */
  private readonly isStatic: boolean;

  constructor(options: SubmoduleOptions) {
    this.options = options;
    this.isStatic = options.modules.every((module) => typeof module === "object");
  }

  /** What may be written for the submodule in a data file. */
  get schema(): JsonSchema {
    const location = { up: undefined, key: "<submodule>" };
    return schemaOfShape(this.shared(location).shape, undefined, this.freeformType);
  }

  /** The type of what no option is declared for. */
  get freeformType(): AnyOptionType | undefined {
    const freeform = this.options.modules.find(
      (module) => typeof module === "object" && module.freeformType !== undefined,
    );
    return typeof freeform === "object" ? freeform.freeformType : undefined;
  }

  get description(): string {
    const type = this.freeformType;
    return type === undefined
      ? "submodule"
      : `open submodule of ${type.descriptionClass === "noun" || type.descriptionClass === "composite" ? type.description : `(${type.description})`}`;
  }

  evaluate(location: Location, definitions: readonly DefinitionRecord[]): Evaluation {
    const { options } = this;
    const shorthand = options.shorthandOnlyDefinesConfig === true;
    const outer = outerOf(location);
    const specialArguments = options.specialArgs ?? none;
    if (shorthand && this.isStatic && options.bound === undefined) {
      return new Evaluation({
        imports: noImports,
        specialArguments,
        outer,
        own: { name: location.key },
        prefix: location,
        class: options.class,
        shared: this.shared(location),
        definitions,
        donor: undefined,
      });
    }
    const imports: Import[] = definitions.map((each, index) => ({
      reference: each.value,
      importer: each.source,
      anonymousKey: `:definition-${index + 1}`,
      source: each.source,
      shorthand: shorthand && isRecord(each.value),
      ...(typeof each.value === "function" ? {} : { scope: each.scope }),
    }));
    const all = [...this.ownImports(), ...(options.bound ?? []), ...imports];
    let type: AnyOptionType | undefined;
    const own = {
      name: location.key,
      get moduleType(): AnyOptionType {
        return (type ??= new SubmoduleType({ ...options, bound: [...(options.bound ?? []), ...imports] }));
      },
    };
    return new Evaluation({ imports: all, specialArguments, outer, own, prefix: location, class: options.class });
  }

  private ownImports(): Import[] {
    const importer = new ModuleSource("<submodule type>");
    return this.options.modules.map((reference, index) => ({
      reference,
      importer,
      anonymousKey: `:anon-${index + 1}`,
    }));
  }

  private shared(location: Location | undefined): {
    readonly modules: readonly LoadedModule[];
    readonly shape: ShapeNode;
  } {
    if (this.loaded === undefined) {
      const scope: ThunkScope = { config: {}, arguments: {} };
      const { modules } = collectModules(this.ownImports(), { scope, class: this.options.class });
      this.loaded = { modules, shape: shapeOf(modules, location) };
    }
    return this.loaded;
  }

  documentation(prefix: OptionPath): readonly SubOptions[] {
    const inner = this.freeformType?.fields.subOptions?.(prefix) ?? [];
    // Modules that are functions of their arguments declare nothing before they are called.
    return this.isStatic ? [{ prefix, shape: this.shared(undefined).shape }, ...inner] : inner;
  }
}

/** The evaluation that the option at a location belongs to. */
function outerOf(location: Location): Evaluation | undefined {
  for (let at: Location | undefined = location; at !== undefined; at = at.up) {
    if (at instanceof OptionCell || at instanceof GroupNode) return at.evaluation;
  }
  return undefined;
}
