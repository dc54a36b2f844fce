/** Evaluated options as data: value, definitions, provenance. */
import type { Cell } from "./cells.ts";
import type { AnyOption, readType } from "./definition.ts";
import type { DefinitionRecord } from "./definition-record.ts";
import { EvaluationError } from "./errors.ts";
import { type Evaluation } from "./evaluation.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import { type Location, type OptionPath, pathOf, showOption } from "./location.ts";
import { computeThunks, expand, select, sortByOrder } from "./merge.ts";
import type { ModuleSource, Place } from "./module-source.ts";
import type { OptionFields } from "./option.ts";
import { locate } from "./places.ts";
import { allOf, type DefinitionProvenance, provenanceOf } from "./provenance.ts";
import { isRecord, RecordSource, recordSourceOf, setKey } from "./records.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** `options` for a tree of declared options. */
export type OptionsOf<O> = {
  readonly [K in keyof O]: O[K] extends AnyOption ? EvaluatedOption<O[K][typeof readType]> : OptionsOf<O[K]>;
};

/** An option of an evaluation. */
export class EvaluatedOption<T = unknown> {
  readonly _type = "option";
  private readonly cell: OptionCell;

  constructor(cell: OptionCell) {
    this.cell = cell;
  }

  /** The path from the root. */
  get loc(): OptionPath {
    return pathOf(this.cell);
  }
  /** The path as users write it. */
  toString(): string {
    return showOption(this.loc);
  }
  /** The declaration, several declarations taken together. */
  get fields(): OptionFields {
    return this.cell.fields;
  }
  get type(): AnyOptionType {
    return this.fields.type;
  }
  get default(): unknown {
    return this.fields.default;
  }
  get description(): OptionFields["description"] {
    return this.fields.description;
  }
  /** The modules that declare it. */
  get declarations(): readonly ModuleSource[] {
    return this.cell.shape.declarations.map((each) => each.source);
  }
  /** Where each of them declares it, to the line and column where the source tells. */
  get declarationPlaces(): readonly (Place | undefined)[] {
    return this.declarations.map((source) => locate(source, "options", this.cell));
  }
  /** The merged value; reading it may fail. */
  get value(): T {
    return this.cell.force() as T;
  }
  /** Whether there is any definition, the default included. */
  get isDefined(): boolean {
    return this.survivors().length > 0;
  }
  /** The number of the best priority; 9999 when undefined, 1500 when only the default counts. */
  get highestPrio(): number {
    return this.survivors()[0]?.priority ?? 9999;
  }
  /** The values that were merged, in merge order. */
  get definitions(): readonly unknown[] {
    return this.definitionsWithLocations.map((each) => each.value);
  }
  /** The values that were merged, with the file of each. */
  get definitionsWithLocations(): readonly { readonly file: string; readonly value: unknown }[] {
    return sortByOrder(computeThunks(this.survivors(), this.cell)).map((each) => ({
      file: each.source.label,
      value: each.value,
    }));
  }
  /** The files of the merged definitions. */
  get files(): readonly string[] {
    return this.survivors().map((each) => each.source.label);
  }

  /** For records: the best priority among each key's definitions; computes no value. */
  get keyPriorities(): Readonly<Record<string, number>> {
    const priorities: Record<string, number> = {};
    for (const definition of computeThunks(this.survivors(), this.cell)) {
      if (!isRecord(definition.value)) continue;
      for (const key of Object.keys(definition.value)) {
        const expanded: DefinitionRecord[] = [];
        expand(definition.element(definition.value[key]), { up: this.cell, key }, expanded, false);
        for (const each of expanded) setKey(priorities, key, Math.min(each.priority, priorities[key] ?? Infinity));
      }
    }
    return priorities;
  }

  /** The paths of the options that computing the value read. */
  get reads(): readonly OptionPath[] {
    this.tryForce();
    return readPaths(this.cell);
  }

  /** Every definition, winning or not, in merge order. */
  get provenance(): readonly DefinitionProvenance[] {
    return provenanceOf(this.all(), this.cell);
  }

  private tryForce(): void {
    try {
      this.cell.force();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
    }
  }

  private expanded: readonly DefinitionRecord[] | undefined = undefined;
  private all(): readonly DefinitionRecord[] {
    if (this.expanded === undefined) {
      this.expanded = allOf(this.cell.allDefinitions(this.fields), this.cell);
    }
    return this.expanded;
  }
  private survivors(): readonly DefinitionRecord[] {
    return select(this.all(), this.cell);
  }
}

/** The options that computing a cell read, its elements and conditions included. */
function readPaths(cell: Cell): readonly OptionPath[] {
  const seen = new Set<Cell>();
  const paths = new Map<string, OptionPath>();
  const pending: Cell[] = [...(cell.reads ?? [])];
  for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
    if (seen.has(each)) continue;
    seen.add(each);
    if (each instanceof OptionCell) {
      const path = pathOf(each);
      paths.set(showOption(path), path);
    } else {
      pending.push(...(each.reads ?? []));
    }
  }
  return [...paths.keys()].sort().map((key) => paths.get(key) ?? []);
}

/** The options of a group as a lazy record. */
export class OptionsRecord extends RecordSource {
  private readonly node: GroupNode;
  private readonly views = new Map<string, unknown>();
  constructor(node: GroupNode) {
    super();
    this.node = node;
  }
  get location(): Location | undefined {
    return this.node.location;
  }
  /** The group whose options these are. */
  get group(): GroupNode {
    return this.node;
  }
  keyList(): readonly string[] {
    return this.node.shape.keys;
  }
  hasKey(key: string): boolean {
    return this.node.shape.has(key);
  }
  readKey(key: string): unknown {
    let view = this.views.get(key);
    if (view === undefined) {
      const child = this.node.child(key);
      view =
        child instanceof OptionCell
          ? new EvaluatedOption(child)
          : child instanceof GroupNode
            ? new OptionsRecord(child).record
            : undefined;
      this.views.set(key, view);
    }
    return view;
  }
  missingKey(): undefined {
    return undefined;
  }
}

const optionRecords = new WeakMap<Evaluation, OptionsRecord>();

/** All options of an evaluation. */
export function optionsOfEvaluation(evaluation: Evaluation): OptionsRecord {
  let source = optionRecords.get(evaluation);
  if (source === undefined) {
    source = new OptionsRecord(evaluation.root);
    optionRecords.set(evaluation, source);
  }
  return source;
}

/** The options behind a configuration or a submodule's value; undefined for other values. */
export function optionsOf(config: object): object | undefined {
  const source = recordSourceOf(config);
  return source instanceof GroupNode ? new OptionsRecord(source).record : undefined;
}
