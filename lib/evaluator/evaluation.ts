/** One evaluation of modules: loading them, handing definitions to options, checking that each has one. */
import { EvaluationScope } from "./arguments.ts";
import { Cell } from "./cells.ts";
import { collectModules, type Import, type LoadContext, type LoadedModule, type ModuleGraphNode } from "./collect.ts";
import { DefinitionRecord, type ThunkScope } from "./definition-record.ts";
import { EvaluationError, siblingPath } from "./errors.ts";
import { nearest } from "./levenshtein.ts";
import { type Location, type OptionPath, pathOf, showOption } from "./location.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import type { Forward } from "./option.ts";
import { PropertyRecord } from "./properties.ts";
import { asRecordSource, type RecordSource } from "./records.ts";
import { type JsonSchema, schemaOfShape } from "./schema.ts";
import { type ShapeNode, shapeOf } from "./shape.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** Checks a data module against a schema; installed by `data-modules.ts`. */
let checkData: ((module: object, schema: JsonSchema) => void) | undefined;

/** Installs the check of data modules. */
export function onDataCheck(check: (module: object, schema: JsonSchema) => void): void {
  checkData = check;
}

/** A definition that no declared option matches. */
export interface UnmatchedDefinition {
  readonly location: Location;
  readonly definition: DefinitionRecord;
}

/** What an evaluation is made of. */
export interface EvaluationInput {
  readonly imports: readonly Import[];
  readonly specialArguments: Readonly<Record<string, unknown>>;
  /** Arguments of the evaluation around this one, for submodules. */
  readonly outer?: Evaluation | undefined;
  /** Arguments that belong to this evaluation, such as `name`. */
  readonly own?: Readonly<Record<string, unknown>>;
  readonly prefix: Location | undefined;
  readonly class: string | undefined;
  /** Modules and options that are the same for many evaluations. */
  readonly shared?: { readonly modules: readonly LoadedModule[]; readonly shape: ShapeNode };
  /** Definitions that are known to be plain configuration. */
  readonly definitions?: readonly DefinitionRecord[];
  /** Changes the order in which the modules' definitions merge, for lints. */
  readonly reorder?: ((modules: readonly LoadedModule[]) => readonly LoadedModule[]) | undefined;
  /** An earlier evaluation whose values may be taken over, and how that is decided. */
  readonly donor?: { readonly evaluation: Evaluation; readonly adopt: Adoption } | undefined;
}

/** Decides whether a cell of an earlier evaluation has the value of this one. */
export type Adoption = (cell: OptionCell, donor: Evaluation) => { readonly value: unknown } | undefined;

/** An evaluation of modules. */
export class Evaluation {
  readonly input: EvaluationInput;
  readonly scope: ThunkScope;
  readonly unmatched: UnmatchedDefinition[] = [];
  readonly prefix: Location | undefined;
  private loadedModules: readonly LoadedModule[] | undefined = undefined;
  private graphOf: (() => readonly ModuleGraphNode[]) | undefined = undefined;
  private rootNode: GroupNode | undefined = undefined;
  private loading = false;
  private checked = false;
  /** Whether everything is being read, so that it would be in vain to look for what can be left out. */
  isReadWhole = false;
  private failed: unknown = undefined;
  private schemaFound: JsonSchema | undefined = undefined;
  private freeformRecord: RecordSource | undefined | null = null;
  private freeformTypeFound: AnyOptionType | undefined | null = null;

  constructor(input: EvaluationInput) {
    this.input = input;
    this.prefix = input.prefix;
    this.scope = new EvaluationScope(this);
  }

  /** Whether the structure is known. */
  get isReady(): boolean {
    return this.rootNode !== undefined;
  }

  /** Whether imports are still being found. */
  get isLoading(): boolean {
    return this.loading;
  }

  /** The loaded modules in merge order. */
  get modules(): readonly LoadedModule[] {
    if (this.loadedModules !== undefined) return this.loadedModules;
    const { imports, shared } = this.input;
    if (imports.length === 0 && shared !== undefined) return (this.loadedModules = shared.modules);
    if (this.loading)
      throw new EvaluationError({ reason: "structure-depends-on-config", source: undefined, argument: "`config`" });
    this.loading = true;
    try {
      const context: LoadContext = { scope: this.scope, class: this.input.class };
      const { modules, graph } = collectModules(this.input.imports, context);
      this.graphOf = graph;
      const collected = [...modules, ...(this.input.shared?.modules ?? [])];
      this.loadedModules = this.input.reorder?.(collected) ?? collected;
    } finally {
      this.loading = false;
    }
    return this.loadedModules;
  }

  /** The modules by who imports them. */
  get graph(): readonly ModuleGraphNode[] {
    return this.modules.length === 0 ? [] : (this.graphOf?.() ?? []);
  }

  /** The tree of options with all definitions of the modules. */
  get root(): GroupNode {
    if (this.rootNode !== undefined) return this.rootNode;
    const { modules } = this;
    const { shared, definitions } = this.input;
    const shape =
      shared !== undefined && this.input.imports.length === 0 ? shared.shape : shapeOf(modules, this.prefix);
    const root = new GroupNode(this, undefined, shape, true);
    for (const module of modules) {
      if (module.config === undefined) continue;
      // Shared modules are loaded once, so they know no scope of their own.
      const scope = shared?.modules.includes(module) === true ? this.scope : module.scope;
      root.add(new DefinitionRecord(module.config, module.source, scope));
    }
    for (const module of modules) {
      if (module.freeformType === undefined) continue;
      root.add(new DefinitionRecord({ _module: { freeformType: module.freeformType } }, module.source, this.scope));
    }
    if (definitions !== undefined) for (const each of definitions) root.add(each);
    this.rootNode = root;
    return root;
  }

  /** The value of an earlier evaluation that this cell can take over. */
  adopt(cell: OptionCell): { readonly value: unknown } | undefined {
    const { donor } = this.input;
    return donor?.adopt(cell, donor.evaluation);
  }

  /** The option at a path from the root, if it is declared here rather than in a submodule. */
  cellAt(path: OptionPath): OptionCell | undefined {
    let node: OptionCell | GroupNode | undefined = this.root;
    for (const key of path.slice(pathOf(this.prefix).length)) {
      if (!(node instanceof GroupNode)) return undefined;
      node = node.child(key);
    }
    return node instanceof OptionCell ? node : undefined;
  }

  /** Notes that a module has been replaced; its definitions have been exchanged already. */
  replaceLoaded(before: LoadedModule, after: LoadedModule): void {
    this.loadedModules = this.modules.map((each) => (each === before ? after : each));
    this.checked = false;
  }

  /** The configuration as a lazy record, without the check for unmatched definitions. */
  get uncheckedConfig(): object {
    return this.root.record;
  }

  /**
   * Reads all of the configuration. Definitions are then handed down when reading comes to them, and what no option
   * matches is told at the end, or instead of another error, which may well follow from it.
   */
  readWhole<T>(read: (config: object) => T): T {
    if (this.checked || this.root.shape.forwards || this.modules.some(({ source }) => source.isData))
      return read(this.config);
    this.isReadWhole = true;
    try {
      const result = read(this.uncheckedConfig);
      this.check();
      return result;
    } catch (error) {
      if (!Cell.mustUnwind(error)) this.check();
      throw error;
    }
  }

  /** The configuration as a lazy record. */
  get config(): object {
    this.check();
    return this.root.record;
  }

  /** The type of definitions that no option matches, if the modules set one. */
  get freeformType(): AnyOptionType | undefined {
    if (this.freeformTypeFound === null) {
      this.freeformTypeFound = undefined;
      if (this.root.hasDefinitionsFor("_module")) {
        this.freeformTypeFound = (this.builtIn("freeformType").force() as AnyOptionType | null) ?? undefined;
      }
    }
    return this.freeformTypeFound;
  }

  /** An option below `_module`. */
  builtIn(key: string): OptionCell {
    const group = this.root.child("_module");
    const cell = group instanceof GroupNode ? group.child(key) : undefined;
    if (cell instanceof OptionCell) return cell;
    throw new TypeError(`_module.${key} is not declared`);
  }

  /** The undeclared part of the configuration below a location. */
  freeform(location: Location | undefined): RecordSource | undefined {
    if (this.freeformType === undefined) return undefined;
    if (this.freeformRecord === null) {
      this.freeformRecord = undefined;
      this.matchAll();
      this.freeformRecord = this.mergeFreeform(this.freeformType);
    }
    let at: RecordSource | undefined = this.freeformRecord;
    const below: string[] = [];
    for (let up = location; up !== this.prefix && up !== undefined; up = up.up) below.push(up.key);
    for (const key of below.reverse()) {
      if (at === undefined || !at.hasKey(key)) return undefined;
      at = asRecordSource(at.readKey(key));
    }
    return at;
  }

  private mergeFreeform(type: AnyOptionType): RecordSource | undefined {
    const definitions = this.unmatched.map(({ location, definition }) => {
      let value: unknown = rewrap(definition);
      for (let up: Location | undefined = location; up !== this.prefix && up !== undefined; up = up.up)
        value = { [up.key]: value };
      return definition.element(value);
    });
    return asRecordSource(type.merge(this.prefix ?? { up: undefined, key: "<freeform>" }, definitions));
  }

  /** Fails when a definition matches no option and nothing allows that. */
  check(): void {
    if (this.checked) {
      if (this.failed !== undefined) throw this.failed;
      return;
    }
    this.checked = true;
    this.failed = undefined;
    try {
      this.checkOnce();
    } catch (error) {
      if (Cell.mustUnwind(error)) this.checked = false;
      else this.failed = error;
      throw error;
    }
  }

  private checkOnce(): void {
    if (checkData !== undefined && this.input.outer === undefined) {
      for (const { source } of this.modules) {
        if (source.isData && source.module !== undefined) checkData(source.module, this.schema);
      }
    }
    this.matchAll();
    const [first] = this.unmatched;
    if (first === undefined || this.freeformType !== undefined) return;
    if (this.root.hasDefinitionsFor("_module") && this.builtIn("check").force() === false) return;
    throw this.unknownOption(first);
  }

  /** Finds the definitions that no option matches. */
  private matchAll(): void {
    // Forwarded definitions must have arrived before anything is read; a submodule is mostly read as a whole.
    if (this.isReadWhole || this.root.shape.forwards || this.input.outer !== undefined) this.root.distributeAll();
    else this.root.matchAll();
  }

  /** Hands a definition of a renamed or removed option on. */
  forward(from: OptionCell, definition: DefinitionRecord, forward: Forward): void {
    from.add(definition);
    const path = pathOf(from).slice(pathOf(this.prefix).length);
    const file = definition.source.label;
    const say = (key: "warnings" | "assertions", value: unknown): void => {
      if (!this.root.shape.has(key)) return;
      this.deliver([key], new DefinitionRecord(value, definition.source, definition.scope, definition.condition), from);
    };
    if (forward.warning !== undefined) say("warnings", whenDefined(definition, [forward.warning(path, file)]));
    if (forward.failure !== undefined) {
      say("assertions", whenDefined(definition, [{ assertion: false, message: forward.failure(path, file) }]));
    }
    if (forward.to === undefined) return;
    const condition = forward.condition ?? true;
    const value =
      condition === true ? definition.value : new PropertyRecord("if", definition.value, this.bindCondition(condition));
    this.deliver(forward.to, definition.inside(value), from);
  }

  /** A forwarded definition keeps its module's scope, but the condition belongs to this evaluation. */
  private bindCondition(condition: unknown): unknown {
    return typeof condition === "function"
      ? (): unknown => condition(this.scope.config, this.scope.arguments)
      : condition;
  }

  /** The value of a renamed option: that of the new one. */
  readForwarded(from: OptionCell, forward: Forward): unknown {
    let value: unknown = this.uncheckedConfig;
    for (const key of forward.to ?? []) {
      if (typeof value !== "object" || value === null || !(key in value)) {
        throw new EvaluationError({
          reason: "undefined-option",
          location: from,
          declarations: from.shape.declarations.map((each) => each.source),
        });
      }
      value = Reflect.get(value, key);
    }
    return forward.use === undefined ? value : forward.use(value);
  }

  private deliver(path: OptionPath, definition: DefinitionRecord, from: OptionCell): void {
    let node: OptionCell | GroupNode | undefined = this.root;
    for (const [index, key] of path.entries()) {
      if (!(node instanceof GroupNode)) {
        let value = rewrap(definition);
        for (const inner of path.slice(index).reverse()) value = { [inner]: value };
        node?.add(definition.element(value));
        return;
      }
      node = node.existing(key);
    }
    if (node === undefined || node instanceof GroupNode) {
      throw new EvaluationError({
        reason: "bad-declaration",
        location: from,
        problem: `it stands for \`${showOption(path)}\`, which is no option`,
        declarations: from.shape.declarations.map((each) => each.source),
      });
    }
    if (node.fields.forward === undefined) node.add(definition);
    else this.forward(node, definition, node.fields.forward);
  }

  /** The JSON Schema of all options, for data files. */
  get schema(): JsonSchema {
    return (this.schemaFound ??= schemaOfShape(this.root.shape, undefined, this.freeformType));
  }

  private unknownOption(first: UnmatchedDefinition): EvaluationError {
    const { location } = first;
    let siblings = this.root.shape;
    const path: string[] = [];
    for (let up = location.up; up !== this.prefix && up !== undefined; up = up.up) path.push(up.key);
    for (const key of path.reverse()) siblings = siblings.child(key) ?? siblings;
    return new EvaluationError({
      reason: "unknown-option",
      location,
      definitions: this.unmatched
        .filter((each) => each.location.key === location.key && each.location.up === location.up)
        .map(({ definition }) => ({ source: definition.source, value: definition.value })),
      suggestions: nearest(
        location.key,
        siblings.keys.filter((key) => key !== "_module"),
      ).map((name) => siblingPath(location.up, name)),
    });
  }
}

/** A value that counts exactly when a definition does, with the plain priority that lists of messages have. */
function whenDefined(definition: DefinitionRecord, value: unknown): unknown {
  return definition.value instanceof PropertyRecord && definition.value._type === "if"
    ? new PropertyRecord("if", value, definition.value.parameter)
    : value;
}

/** Puts pushed-down conditions and priorities back around a value. */
function rewrap(definition: DefinitionRecord): unknown {
  let { value } = definition;
  if (definition.priority !== 100) value = new PropertyRecord("override", value, definition.priority);
  if (definition.order !== 1000) value = new PropertyRecord("order", value, definition.order);
  for (let link = definition.condition; link !== undefined; link = link.next) {
    const each = link;
    value = new PropertyRecord("if", value, () => each.holds(undefined));
  }
  return value;
}
