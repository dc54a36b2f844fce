/** The tree of one evaluation: options with their definitions and values, and groups of them. */
import { Cell } from "./cells.ts";
import { DefinitionRecord } from "./definition-record.ts";
import { EvaluationError, siblingPath } from "./errors.ts";
import type { Evaluation } from "./evaluation.ts";
import { nearest } from "./levenshtein.ts";
import type { Location } from "./location.ts";
import { discharge, emptyValueOf, expand, mergeChecked } from "./merge.ts";
import { type ModuleSource, unknownSource } from "./module-source.ts";
import type { OptionFields } from "./option.ts";
import { optionDefaultPriority } from "./properties.ts";
import { byCodeUnit, isRecord, RecordSource as LazyRecord } from "./records.ts";
import type { ShapeNode } from "./shape.ts";

const none: readonly DefinitionRecord[] = [];

/** Adds to a list that usually stays short: pushing onto a list of one reserves room for seventeen. */
function appended(list: readonly DefinitionRecord[], definition: DefinitionRecord): readonly DefinitionRecord[] {
  switch (list.length) {
    case 0:
      return [definition];
    case 1:
      return [list[0] as DefinitionRecord, definition];
    case 2:
      return [list[0] as DefinitionRecord, list[1] as DefinitionRecord, definition];
    default:
      (list as DefinitionRecord[]).push(definition);
      return list;
  }
}

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
    return this.shape.option(this);
  }

  /** Adds a definition, while structure is being found. */
  add(definition: DefinitionRecord): void {
    this.definitions = appended(this.definitions, definition);
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
      if (type.scalar && typeof fallback !== "function" && typeof fallback !== "object" && type.check(fallback))
        return fallback;
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
    this.definitions = appended(this.definitions, definition);
  }

  /** Exchanges the definitions of one module, while the children are being given theirs. */
  replaceDefinitions(before: ModuleSource, after: readonly DefinitionRecord[]): void {
    const position = this.definitions.findIndex((each) => each.source === before);
    const kept = this.definitions.filter((each) => each.source !== before);
    this.definitions =
      position < 0 ? [...kept, ...after] : [...kept.slice(0, position), ...after, ...kept.slice(position)];
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
      if (child === undefined)
        this.evaluation.unmatched.push({ location: { up: this.location, key }, definition: inner });
      else if (child instanceof OptionCell && child.fields.forward !== undefined)
        this.evaluation.forward(child, inner, child.fields.forward);
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
    const declared = this.shape.keys.filter(
      (key) => !(this.isRoot && key === "_module") && this.shape.children?.get(key)?.isRemoved !== true,
    );
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
