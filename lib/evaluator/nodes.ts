/** The tree of one evaluation: options with their definitions and values, and groups of them. */
import { Cell } from "./cells.ts";
import { DefinitionRecord } from "./definition-record.ts";
import { EvaluationError, siblingPath } from "./errors.ts";
import type { Evaluation } from "./evaluation.ts";
import { nearest } from "./levenshtein.ts";
import type { Location } from "./location.ts";
import { discharge, emptyValueOf, expand, mergeChecked, onlySurvivor, undecided } from "./merge.ts";
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
      const only = onlySurvivor(definitions);
      survivors = only === undecided ? discharge(definitions, this) : only === undefined ? none : [only];
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

/** Definitions for the options of a group that nobody has read yet; one in each position of the three lists. */
class PendingDefinitions {
  readonly shapes: ShapeNode[] = [];
  /** The definition of the whole group that each stands in. */
  readonly around: DefinitionRecord[] = [];
  readonly values: unknown[] = [];

  add(shape: ShapeNode, around: DefinitionRecord, value: unknown): void {
    this.shapes.push(shape);
    this.around.push(around);
    this.values.push(value);
  }
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({});

/** A group of options of one evaluation. */
export class GroupNode extends LazyRecord implements Location {
  readonly up: Location | undefined;
  readonly shape: ShapeNode;
  readonly evaluation: Evaluation;
  private definitions: readonly DefinitionRecord[] = none;
  /** The nodes made so far, each at the position of its shape among its siblings. */
  private readonly children: (OptionCell | GroupNode | undefined)[];
  private distributed = false;
  /** Set between looking at definitions and handing them to options that somebody reads. */
  private pending: PendingDefinitions | undefined = undefined;

  /** Whether this is the top of its evaluation. */
  readonly isRoot: boolean;

  constructor(evaluation: Evaluation, up: Location | undefined, shape: ShapeNode, isRoot = false) {
    super();
    this.evaluation = evaluation;
    this.up = up;
    this.shape = shape;
    this.isRoot = isRoot;
    // oxlint-disable-next-line unicorn/no-new-array -- the length is meant; growing it position by position costs more
    this.children = new Array<undefined>(shape.children?.size ?? 0);
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
    const shape = this.shape.children?.get(key);
    return shape !== undefined && this.children[shape.position] !== undefined;
  }

  /** Hands definitions down to everything below. */
  distributeAll(): void {
    this.distribute();
    for (const child of this.children) if (child instanceof GroupNode) child.distributeAll();
  }

  /**
   * Notes the definitions that no option matches, here and below. Options get theirs when one of the group is
   * read: nobody pays for what nobody reads.
   */
  matchAll(): void {
    if (!this.distributed) {
      this.distributed = true;
      this.pending = new PendingDefinitions();
      const expanded = this.expanded();
      for (let index = 0; index < expanded.length; index++)
        this.matchOne(expanded[index] as DefinitionRecord, this.pending);
    }
    for (const child of this.children) if (child instanceof GroupNode) child.matchAll();
  }

  /** The node of a declared child. */
  child(key: string): OptionCell | GroupNode | undefined {
    this.distribute();
    return this.existing(key);
  }

  /** The node of a child, without handing definitions down. */
  existing(key: string): OptionCell | GroupNode | undefined {
    const shape = this.shape.children?.get(key);
    if (shape === undefined) return undefined;
    return this.nodeOf(shape);
  }

  private nodeOf(shape: ShapeNode): OptionCell | GroupNode {
    return (this.children[shape.position] ??= shape.isOption
      ? new OptionCell(this.evaluation, this.location, shape)
      : new GroupNode(this.evaluation, this.location, shape));
  }

  /** Hands definitions down to the children they are for; once. */
  distribute(): void {
    const { pending } = this;
    if (pending !== undefined) {
      this.pending = undefined;
      for (let index = 0; index < pending.shapes.length; index++) this.addPending(pending, index);
    }
    if (this.distributed) return;
    this.distributed = true;
    for (const each of this.expanded()) this.distributeOne(each);
  }

  private expanded(): readonly DefinitionRecord[] {
    const expanded: DefinitionRecord[] = [];
    for (let index = 0; index < this.definitions.length; index++)
      expand(this.definitions[index] as DefinitionRecord, this.location, expanded, true);
    return expanded;
  }

  private matchOne(definition: DefinitionRecord, pending: PendingDefinitions): void {
    const value = this.contentOf(definition);
    const keys = Object.keys(value);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const inner = value[key];
      if (inner === undefined) continue;
      const shape = this.shape.children?.get(key);
      if (shape === undefined) this.noteUnmatched(key, definition.inside(inner));
      else if (shape.isOption) pending.add(shape, definition, inner);
      else this.nodeOf(shape).add(definition.inside(inner));
    }
  }

  private addPending(pending: PendingDefinitions, index: number): void {
    const shape = pending.shapes[index] as ShapeNode;
    const definition = pending.around[index] as DefinitionRecord;
    this.nodeOf(shape).add(definition.inside(pending.values[index]));
  }

  private distributeOne(definition: DefinitionRecord): void {
    const value = this.contentOf(definition);
    const keys = Object.keys(value);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const child = this.existing(key);
      const inner = definition.inside(value[key]);
      if (inner.value === undefined) continue;
      if (child === undefined) this.noteUnmatched(key, inner);
      else if (child instanceof OptionCell && child.fields.forward !== undefined)
        this.evaluation.forward(child, inner, child.fields.forward);
      else child.add(inner);
    }
  }

  private contentOf(definition: DefinitionRecord): Readonly<Record<string, unknown>> {
    const { value } = definition;
    if (value === undefined) return nothing;
    if (!isRecord(value)) throw this.notARecord(definition);
    return value;
  }

  private noteUnmatched(key: string, definition: DefinitionRecord): void {
    this.evaluation.unmatched.push({ location: { up: this.location, key }, definition });
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
