/** The tree of one evaluation: options with their definitions and values, and groups of them. */
import { Cell } from "./cells.ts";
import { DefinitionRecord } from "./definition-record.ts";
import { EvaluationError, siblingPath } from "./errors.ts";
import type { Evaluation } from "./evaluation.ts";
import { fits } from "./fits.ts";
import { nearest } from "./levenshtein.ts";
import type { Location } from "./location.ts";
import { discharge, emptyValueOf, expand, mergeChecked, onlySurvivor, undecided } from "./merge.ts";
import { unknownSource } from "./module-source.ts";
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
    if (fields.forward !== undefined && fields.forward.keeps !== true)
      return this.evaluation.readForwarded(this, fields.forward);
    const adopted = this.evaluation.adopt(this);
    if (adopted !== undefined) return adopted.value;
    const value = this.mergeAll(fields);
    // `apply` is typed against the option's own type where it is declared.
    return fields.apply === undefined ? value : (fields.apply as (merged: unknown) => unknown)(value);
  }

  /** The value as it is merged, of which `apply` may make something of another shape. */
  get merged(): unknown {
    const { fields } = this;
    return fields.apply === undefined || fields.forward !== undefined ? this.force() : this.mergeAll(fields);
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

/** A definition of a group, properties aside. */
type Content = Readonly<Record<string, unknown>>;

/** A group of options of one evaluation. */
export class GroupNode extends LazyRecord implements Location {
  readonly up: Location | undefined;
  readonly shape: ShapeNode;
  readonly evaluation: Evaluation;
  /**
   * What modules define here, in pairs: a definition of this group or of one around it, and its value for this
   * group. A record for each would be the greater part of what an option costs that nobody reads.
   */
  private defined: unknown[];
  /** Whether properties have been taken off. */
  private expanded: boolean;
  /** Whether every member has the definitions that are for it. */
  private distributed: boolean;
  /** The only member that has, as long as nobody has read a second one. */
  private only: OptionCell | GroupNode | undefined;
  /** The nodes made so far, each at the position of its shape among its siblings. */
  private readonly children: (OptionCell | GroupNode | undefined)[];

  /** Whether this is the top of its evaluation. */
  readonly isRoot: boolean;

  constructor(evaluation: Evaluation, up: Location | undefined, shape: ShapeNode, isRoot = false) {
    super();
    this.evaluation = evaluation;
    this.up = up;
    this.shape = shape;
    this.defined = [];
    this.expanded = false;
    this.distributed = false;
    this.only = undefined;
    // oxlint-disable-next-line unicorn/no-new-array -- the length is meant; growing it position by position costs more
    this.children = new Array<undefined>(shape.size);
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
    this.addInside(definition, definition.value);
  }

  /** Adds what a definition of a group around this one has for this one. */
  addInside(around: DefinitionRecord, value: unknown): void {
    const { defined } = this;
    // Pushing onto a short list reserves room for seventeen, and most groups of submodules have one definition or two.
    switch (defined.length) {
      case 0:
        this.defined = [around, value];
        break;
      case 2:
        this.defined = [defined[0], defined[1], around, value];
        break;
      default:
        defined.push(around, value);
    }
  }

  /** Whether anything below has a definition. */
  hasDefinitionsFor(key: string): boolean {
    this.distribute();
    const position = this.shape.positions.get(key);
    return position !== undefined && this.children[position] !== undefined;
  }

  /** Hands definitions down to everything below. */
  distributeAll(): void {
    this.distribute();
    if (!this.shape.hasGroups) return;
    for (const child of this.children) if (child instanceof GroupNode) child.distributeAll();
  }

  /**
   * Notes the definitions that no option matches, here and below. Where there are none, nothing is handed down
   * before it is read: nobody pays for what nobody reads.
   */
  matchAll(): void {
    if (!this.distributed && this.fits()) return;
    this.distributeAll();
  }

  /** Whether all definitions are for options that are declared. */
  private fits(): boolean {
    const { defined, shape } = this;
    for (let index = 1; index < defined.length; index += 2) if (!fits(shape, defined[index])) return false;
    return true;
  }

  /** The node of a declared child. */
  child(key: string): OptionCell | GroupNode | undefined {
    const position = this.shape.positions.get(key);
    if (position === undefined) return undefined;
    if (!this.distributed && !this.fetch(key, position)) this.distribute();
    return this.nodeAt(key, position);
  }

  /** The node of a child, without handing definitions down. */
  existing(key: string): OptionCell | GroupNode | undefined {
    const position = this.shape.positions.get(key);
    return position === undefined ? undefined : this.nodeAt(key, position);
  }

  private nodeAt(key: string, position: number): OptionCell | GroupNode {
    return (this.children[position] ??= this.newNode(this.shape.memberAt(key, position)));
  }

  private newNode(shape: ShapeNode): OptionCell | GroupNode {
    return shape.isOption
      ? new OptionCell(this.evaluation, this.location, shape)
      : new GroupNode(this.evaluation, this.location, shape);
  }

  /** Gives its definitions to one member alone, if it is the first that is read. */
  private fetch(key: string, position: number): boolean {
    if (this.only !== undefined) return this.only === this.children[position];
    if (this.shape.forwards || this.evaluation.isReadWhole) return false;
    this.expandDefined();
    const { defined } = this;
    const node = this.nodeAt(key, position);
    this.only = node;
    for (let index = 0; index < defined.length; index += 2) {
      const inner = (defined[index + 1] as Content)[key];
      if (inner === undefined) continue;
      const around = defined[index] as DefinitionRecord;
      if (node instanceof GroupNode) node.addInside(around, inner);
      else node.add(around.inside(inner));
    }
    return true;
  }

  /** Hands definitions down to the children they are for; once. */
  distribute(): void {
    if (this.distributed) return;
    this.expandDefined();
    this.distributed = true;
    const { defined, only } = this;
    for (let index = 0; index < defined.length; index += 2)
      this.distributeOne(defined[index] as DefinitionRecord, defined[index + 1] as Content, only);
    this.defined = [];
  }

  /** Leaves only records: takes properties off, once, since the options below share their conditions. */
  private expandDefined(): void {
    if (this.expanded) return;
    const { defined } = this;
    let expanded: unknown[] | undefined;
    for (let index = 0; index < defined.length; index += 2) {
      const value = defined[index + 1];
      if (isRecord(value)) {
        expanded?.push(defined[index], value);
        continue;
      }
      expanded ??= defined.slice(0, index);
      const found: DefinitionRecord[] = [];
      expand((defined[index] as DefinitionRecord).inside(value), this.location, found, true);
      for (const each of found) {
        if (each.value === undefined) continue;
        if (!isRecord(each.value)) throw this.notARecord(each);
        expanded.push(each, each.value);
      }
    }
    if (expanded !== undefined) this.defined = expanded;
    this.expanded = true;
  }

  private distributeOne(around: DefinitionRecord, content: Content, only: OptionCell | GroupNode | undefined): void {
    const { positions, hasGroups, forwards } = this.shape;
    const keys = Object.keys(content);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const inner = content[key];
      if (inner === undefined) continue;
      const position = positions.get(key);
      if (position === undefined) {
        this.noteUnmatched(key, around.inside(inner));
        continue;
      }
      const node = this.nodeAt(key, position);
      if (node === only) continue;
      if (hasGroups && node instanceof GroupNode) {
        node.addInside(around, inner);
        continue;
      }
      const cell = node as OptionCell;
      const forward = forwards ? cell.fields.forward : undefined;
      if (forward === undefined) cell.add(around.inside(inner));
      else this.evaluation.forward(cell, around.inside(inner), forward);
    }
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
    const { keys, forwards } = this.shape;
    const declared =
      this.isRoot || forwards
        ? keys.filter(
            (key) => !(this.isRoot && key === "_module") && !(forwards && this.shape.child(key)?.isRemoved === true),
          )
        : keys;
    return open === undefined ? declared : [...new Set([...declared, ...open.keyList()])].sort(byCodeUnit);
  }

  hasKey(key: string): boolean {
    if (this.shape.has(key) && !(key === "_module" && this.isRoot)) return true;
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
