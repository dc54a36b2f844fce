/** One evaluation of modules: the tree of options with their definitions, and what modules see of it. */
import { Cell } from "./cells.ts";
import { collectModules, type Import, type LoadContext, type LoadedModule } from "./collect.ts";
import { DefinitionRecord, type ThunkScope } from "./definition-record.ts";
import { EvaluationError, siblingPath } from "./errors.ts";
import { nearest } from "./levenshtein.ts";
import { type Location, type OptionPath, pathOf, showOption } from "./location.ts";
import { discharge, emptyValueOf, expand, mergeChecked } from "./merge.ts";
import { type ModuleSource, unknownSource } from "./module-source.ts";
import type { Forward, OptionFields } from "./option.ts";
import { optionDefaultPriority, PropertyRecord } from "./properties.ts";
import { byCodeUnit, isRecord, type RecordSource, RecordSource as LazyRecord, asRecordSource } from "./records.ts";
import { type JsonSchema, schemaOfShape } from "./schema.ts";
import { type ShapeNode, shapeOf } from "./shape.ts";
import type { AnyOptionType } from "./types/option-type.ts";

const none: readonly DefinitionRecord[] = [];

/** An option of one evaluation: its definitions and, once read, its value. */
export class OptionCell extends Cell {
  readonly up: Location | undefined;
  readonly shape: ShapeNode;
  readonly evaluation: Evaluation;
  /** Definitions as modules wrote them, properties included, in merge order. */
  definitions: readonly DefinitionRecord[] = none;

  constructor(evaluation: Evaluation, up: Location | undefined, shape: ShapeNode) {
    super();
    this.evaluation = evaluation;
    this.up = up;
    this.shape = shape;
  }

  get key(): string {
    return this.shape.key;
  }

  /** The declaration. */
  get fields(): OptionFields {
    const { declarations } = this.shape;
    return declarations.length === 1 ? (declarations[0] as { fields: OptionFields }).fields : this.shape.option(this);
  }

  /** Adds a definition, while structure is being found. */
  add(definition: DefinitionRecord): void {
    if (this.definitions === none) this.definitions = [definition];
    else (this.definitions as DefinitionRecord[]).push(definition);
  }

  /** All definitions that can count, the default included. */
  allDefinitions(fields: OptionFields): readonly DefinitionRecord[] {
    return fields.default === undefined ? this.definitions : [this.defaultDefinition(fields), ...this.definitions];
  }

  private defaultDefinition(fields: OptionFields): DefinitionRecord {
    return new DefinitionRecord(
      fields.default,
      this.shape.declarations[0]?.source ?? unknownSource,
      this.evaluation.scope,
      undefined,
      optionDefaultPriority,
    );
  }

  protected compute(): unknown {
    const { fields } = this;
    if (fields.forward !== undefined) return this.evaluation.readForwarded(this, fields.forward);
    const adopted = this.evaluation.adopt(this);
    if (adopted !== undefined) return adopted.value;
    const value = this.mergeAll(fields);
    // `apply` is typed against the option's own type where it is declared.
    return fields.apply === undefined ? value : (fields.apply as (merged: unknown) => unknown)(value);
  }

  private mergeAll(fields: OptionFields): unknown {
    const { definitions } = this;
    const { default: fallback, type } = fields;
    let survivors = none;
    if (definitions.length > 0) {
      if (fields.readOnly === true) this.checkReadOnly(fields);
      survivors = discharge(definitions, this);
      // The default takes part only where nothing stronger counts.
      const first = survivors[0];
      if (fallback !== undefined && first !== undefined && first.priority >= optionDefaultPriority) {
        survivors = discharge(this.allDefinitions(fields), this);
      }
    }
    if (survivors.length === 0 && fallback !== undefined) {
      if (type.scalar && typeof fallback !== "function" && typeof fallback !== "object" && type.check(fallback)) return fallback;
      survivors = discharge([this.defaultDefinition(fields)], this);
    }
    if (survivors.length > 0) return mergeChecked(type, this, survivors);
    const empty = emptyValueOf(type, this);
    if (empty !== undefined) return empty.value;
    throw new EvaluationError({
      reason: "undefined-option",
      location: this,
      declarations: this.shape.declarations.map((each) => each.source),
    });
  }

  private checkReadOnly(fields: OptionFields): void {
    const all: DefinitionRecord[] = [];
    for (const each of this.allDefinitions(fields)) expand(each, this, all, false);
    if (all.length > 1) throw new EvaluationError({ reason: "read-only", location: this, definitions: all });
  }

  protected failure(error: unknown): unknown {
    return EvaluationError.from(error, this);
  }
}

/** A group of options of one evaluation. */
export class GroupNode extends LazyRecord implements Location {
  readonly up: Location | undefined;
  readonly shape: ShapeNode;
  readonly evaluation: Evaluation;
  private definitions: readonly DefinitionRecord[] = none;
  private readonly children = new Map<string, OptionCell | GroupNode>();
  private distributed = false;

  /** Whether this is the top of its evaluation. */
  readonly isRoot: boolean;

  constructor(evaluation: Evaluation, up: Location | undefined, shape: ShapeNode, isRoot = false) {
    super();
    this.evaluation = evaluation;
    this.up = up;
    this.shape = shape;
    this.isRoot = isRoot;
  }

  get key(): string {
    return this.shape.key;
  }

  get location(): Location | undefined {
    return this.isRoot ? this.evaluation.prefix : this;
  }

  /** Adds a definition, while structure is being found. */
  add(definition: DefinitionRecord): void {
    if (this.definitions === none) this.definitions = [definition];
    else (this.definitions as DefinitionRecord[]).push(definition);
  }

  /** Exchanges the definitions of one module, while the children are being given theirs. */
  replaceDefinitions(before: ModuleSource, after: readonly DefinitionRecord[]): void {
    const position = this.definitions.findIndex((each) => each.source === before);
    const kept = this.definitions.filter((each) => each.source !== before);
    this.definitions = position < 0 ? [...kept, ...after] : [...kept.slice(0, position), ...after, ...kept.slice(position)];
  }

  /** Whether anything below has a definition. */
  hasDefinitionsFor(key: string): boolean {
    this.distribute();
    return this.children.has(key);
  }

  /** Hands definitions down to everything below. */
  distributeAll(): void {
    this.distribute();
    for (const child of this.children.values()) if (child instanceof GroupNode) child.distributeAll();
  }

  /** The node of a declared child. */
  child(key: string): OptionCell | GroupNode | undefined {
    this.distribute();
    return this.existing(key);
  }

  /** The node of a child, without handing definitions down. */
  existing(key: string): OptionCell | GroupNode | undefined {
    let child = this.children.get(key);
    if (child !== undefined) return child;
    const shape = this.shape.children?.get(key);
    if (shape === undefined) return undefined;
    child = shape.isOption
      ? new OptionCell(this.evaluation, this.location, shape)
      : new GroupNode(this.evaluation, this.location, shape);
    this.children.set(key, child);
    return child;
  }

  /** Hands definitions down to the children they are for; once. */
  distribute(): void {
    if (this.distributed) return;
    this.distributed = true;
    const expanded: DefinitionRecord[] = [];
    for (const each of this.definitions) expand(each, this.location, expanded, true);
    for (const each of expanded) this.distributeOne(each);
  }

  private distributeOne(definition: DefinitionRecord): void {
    const { value } = definition;
    if (value === undefined) return;
    if (!isRecord(value)) throw this.notARecord(definition);
    for (const key of Object.keys(value)) {
      const child = this.existing(key);
      const inner = definition.inside(value[key]);
      if (inner.value === undefined) continue;
      if (child === undefined) this.evaluation.unmatched.push({ location: { up: this.location, key }, definition: inner });
      else if (child instanceof OptionCell && child.fields.forward !== undefined) this.evaluation.forward(child, inner, child.fields.forward);
      else child.add(inner);
    }
  }

  private notARecord(definition: DefinitionRecord): EvaluationError {
    const { value, source } = definition;
    const what = this.isRoot ? "`config`" : "a group of options";
    return new EvaluationError({
      reason: "bad-property",
      location: this.location,
      problem:
        typeof value === "function"
          ? `a thunk stands for ${what}, whose shape must be known without computing anything; write thunks at the options inside, or a condition with mkIf`
          : `${Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`} stands for ${what}`,
      definitions: [{ source, value }],
    });
  }

  keyList(): readonly string[] {
    const open = this.evaluation.freeform(this.location);
    const declared = this.isRoot ? this.shape.keys.filter((key) => key !== "_module") : this.shape.keys;
    return open === undefined ? declared : [...new Set([...declared, ...open.keyList()])].sort(byCodeUnit);
  }

  hasKey(key: string): boolean {
    if (this.shape.children?.has(key) === true && !(key === "_module" && this.isRoot)) return true;
    return this.evaluation.freeform(this.location)?.hasKey(key) === true;
  }

  readKey(key: string): unknown {
    const child = this.child(key);
    if (child !== undefined) return child instanceof OptionCell ? child.force() : child.record;
    return this.evaluation.freeform(this.location)?.readKey(key);
  }

  missingKey(key: string): unknown {
    // Only thunks are held to it: from outside, printers and test libraries probe for all kinds of names.
    const reader = Cell.current;
    if (reader === undefined || this.evaluation.freeformType !== undefined) return undefined;
    throw new EvaluationError({
      reason: "unknown-read",
      location: { up: this.location, key },
      reader,
      suggestions: nearest(key, this.keyList()).map((name) => siblingPath(this.location, name)),
    });
  }
}

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
  private rootNode: GroupNode | undefined = undefined;
  private loading = false;
  private checked = false;
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
    if (this.loading) throw new EvaluationError({ reason: "structure-depends-on-config", source: undefined, argument: "`config`" });
    this.loading = true;
    try {
      const context: LoadContext = { scope: this.scope, class: this.input.class };
      const collected = [...collectModules(this.input.imports, context), ...(this.input.shared?.modules ?? [])];
      this.loadedModules = this.input.reorder?.(collected) ?? collected;
    } finally {
      this.loading = false;
    }
    return this.loadedModules;
  }

  /** The tree of options with all definitions of the modules. */
  get root(): GroupNode {
    if (this.rootNode !== undefined) return this.rootNode;
    const { modules } = this;
    const { shared, definitions } = this.input;
    const shape = shared !== undefined && this.input.imports.length === 0 ? shared.shape : shapeOf(modules, this.prefix);
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
      this.root.distributeAll();
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
      for (let up: Location | undefined = location; up !== this.prefix && up !== undefined; up = up.up) value = { [up.key]: value };
      return definition.element(value);
    });
    return asRecordSource(type.merge(this.prefix ?? { up: undefined, key: "<freeform>" }, definitions));
  }

  /** Fails when a definition matches no option and nothing allows that. */
  check(): void {
    if (this.checked) return;
    this.checked = true;
    if (checkData !== undefined && this.input.outer === undefined) {
      for (const { source } of this.modules) {
        if (source.isData && source.module !== undefined) checkData(source.module, this.schema);
      }
    }
    this.root.distributeAll();
    const [first] = this.unmatched;
    if (first === undefined || this.freeformType !== undefined) return;
    if (this.root.hasDefinitionsFor("_module") && this.builtIn("check").force() === false) return;
    throw this.unknownOption(first);
  }

  /** Hands a definition of a renamed or removed option on. */
  forward(from: OptionCell, definition: DefinitionRecord, forward: Forward): void {
    from.add(definition);
    const path = pathOf(from).slice(pathOf(this.prefix).length);
    const file = definition.source.label;
    const say = (key: "warnings" | "assertions", value: unknown): void => {
      if (this.root.shape.children?.has(key) !== true) return;
      this.deliver([key], new DefinitionRecord(value, definition.source, definition.scope, definition.condition), from);
    };
    if (forward.warning !== undefined) say("warnings", whenDefined(definition, [forward.warning(path, file)]));
    if (forward.failure !== undefined) {
      say("assertions", whenDefined(definition, [{ assertion: false, message: forward.failure(path, file) }]));
    }
    if (forward.to === undefined) return;
    const condition = forward.condition ?? true;
    const value = condition === true ? definition.value : new PropertyRecord("if", definition.value, this.bindCondition(condition));
    this.deliver(forward.to, definition.inside(value), from);
  }

  /** A forwarded definition keeps its module's scope, but the condition belongs to this evaluation. */
  private bindCondition(condition: unknown): unknown {
    return typeof condition === "function" ? (): unknown => condition(this.scope.config, this.scope.arguments) : condition;
  }

  /** The value of a renamed option: that of the new one. */
  readForwarded(from: OptionCell, forward: Forward): unknown {
    let value: unknown = this.uncheckedConfig;
    for (const key of forward.to ?? []) {
      if (typeof value !== "object" || value === null || !(key in value)) {
        throw new EvaluationError({ reason: "undefined-option", location: from, declarations: from.shape.declarations.map((each) => each.source) });
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
    for (const key of path.reverse()) siblings = siblings.children?.get(key) ?? siblings;
    return new EvaluationError({
      reason: "unknown-option",
      location,
      definitions: this.unmatched
        .filter((each) => each.location.key === location.key && each.location.up === location.up)
        .map(({ definition }) => ({ source: definition.source, value: definition.value })),
      suggestions: nearest(location.key, siblings.keys.filter((key) => key !== "_module")).map((name) => siblingPath(location.up, name)),
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

/** `config` or `options` as handed to a module function: nothing is looked up before a name is read. */
class EarlyRecord extends LazyRecord {
  private readonly find: () => RecordSource;
  constructor(find: () => RecordSource) {
    super();
    this.find = find;
  }
  get location(): Location | undefined {
    return this.find().location;
  }
  keyList(): readonly string[] {
    return this.find().keyList();
  }
  hasKey(key: string): boolean {
    return this.find().hasKey(key);
  }
  readKey(key: string): unknown {
    return this.find().readKey(key);
  }
  missingKey(key: string): unknown {
    return this.find().missingKey(key);
  }
}

/** The scope of an evaluation's own modules. */
export class EvaluationScope implements ThunkScope {
  readonly evaluation: Evaluation;
  private made: object | undefined = undefined;
  private early: object | undefined = undefined;
  constructor(evaluation: Evaluation) {
    this.evaluation = evaluation;
  }
  get config(): object {
    if (this.evaluation.isReady) return this.evaluation.uncheckedConfig;
    return (this.early ??= new EarlyRecord(() => this.evaluation.root).record);
  }
  get arguments(): object {
    return (this.made ??= new ArgumentsRecord(this.evaluation).record);
  }
}

/** Names that every evaluation provides itself. */
const fixedArguments = ["_class", "_prefix", "config", "options", "root", "specialArgs"] as const;

/** How an evaluation's options become data; installed by `evaluate.ts`. */
let optionsView: (evaluation: Evaluation) => RecordSource = (evaluation) => evaluation.root;

/** Installs how `options` is made, which lies above this file. */
export function onOptionsView(make: (evaluation: Evaluation) => RecordSource): void {
  optionsView = make;
}

/** The arguments of module functions and thunks. */
class ArgumentsRecord extends LazyRecord {
  private readonly evaluation: Evaluation;
  constructor(evaluation: Evaluation) {
    super();
    this.evaluation = evaluation;
  }
  get location(): Location | undefined {
    return this.evaluation.prefix;
  }
  keyList(): readonly string[] {
    const { own, specialArguments, outer } = this.evaluation.input;
    const names = [...fixedArguments, ...Object.keys(own ?? {}), ...Object.keys(specialArguments), ...(this.provided()?.keyList() ?? [])];
    return [...new Set(outer === undefined ? names : [...names, ...Object.keys(outer.scope.arguments)])].sort(byCodeUnit);
  }
  hasKey(key: string): boolean {
    const { own, specialArguments, outer } = this.evaluation.input;
    return (
      (own !== undefined && Object.hasOwn(own, key)) ||
      Object.hasOwn(specialArguments, key) ||
      (fixedArguments as readonly string[]).includes(key) ||
      this.onlyOuter(key) ||
      this.provided(key)?.hasKey(key) === true ||
      (outer !== undefined && key in outer.scope.arguments)
    );
  }
  /** Whether only the surrounding evaluation can know an argument, since this one's modules are still being found. */
  private onlyOuter(key: string): boolean {
    const { outer } = this.evaluation.input;
    return this.evaluation.isLoading && outer !== undefined && key in outer.scope.arguments;
  }
  /** What the modules define under `_module.args`. */
  private provided(wanted?: string): RecordSource | undefined {
    if (this.evaluation.isLoading) {
      throw new EvaluationError({
        reason: "structure-depends-on-config",
        source: undefined,
        argument: wanted === undefined ? "the list of its arguments" : `the argument \`${wanted}\``,
      });
    }
    return this.evaluation.root.hasDefinitionsFor("_module") ? asRecordSource(this.evaluation.builtIn("args").force()) : undefined;
  }
  readKey(key: string): unknown {
    const { own, specialArguments, outer } = this.evaluation.input;
    if (own !== undefined && Object.hasOwn(own, key)) return own[key];
    if (Object.hasOwn(specialArguments, key)) return specialArguments[key];
    switch (key) {
      case "config":
        return this.evaluation.scope.config;
      case "options":
        return this.evaluation.isReady ? optionsView(this.evaluation).record : new EarlyRecord(() => optionsView(this.evaluation)).record;
      case "root":
        return outermost(this.evaluation).uncheckedConfig;
      case "specialArgs":
        return specialArguments;
      case "_class":
        return this.evaluation.input.class;
      case "_prefix":
        return pathOf(this.evaluation.prefix);
    }
    if (outer !== undefined && this.onlyOuter(key)) return Reflect.get(outer.scope.arguments, key);
    const provided = this.provided(key);
    return provided?.hasKey(key) === true || outer === undefined ? provided?.readKey(key) : Reflect.get(outer.scope.arguments, key);
  }
  missingKey(key: string): unknown {
    throw new EvaluationError({ reason: "missing-argument", argument: key, suggestions: nearest(key, this.keyList()) });
  }
}

function outermost(evaluation: Evaluation): Evaluation {
  let at = evaluation;
  while (at.input.outer !== undefined) at = at.input.outer;
  return at;
}
