/** Evaluated options as data: value, definitions, provenance. */
import type { Cell } from "./cells.ts";
import type { AnyOption, readType } from "./definition.ts";
import type { ConditionLink, DefinitionRecord } from "./definition-record.ts";
import { EvaluationError } from "./errors.ts";
import { type Evaluation } from "./evaluation.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import { type Location, type OptionPath, pathOf, showOption } from "./location.ts";
import { computeThunks, expand, select, sortByOrder } from "./merge.ts";
import type { ModuleSource, Place } from "./module-source.ts";
import type { OptionFields } from "./option.ts";
import { locate } from "./places.ts";
import { PropertyRecord } from "./properties.ts";
import { isRecord, RecordSource, recordSourceOf, setKey } from "./records.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** `options` for a tree of declared options. */
export type OptionsOf<O> = {
  readonly [K in keyof O]: O[K] extends AnyOption ? EvaluatedOption<O[K][typeof readType]> : OptionsOf<O[K]>;
};

/** What became of a definition. */
export type DefinitionStatus =
  /** It is part of the value. */
  | "wins"
  /** A definition of better priority replaced it. */
  | "loses"
  /** A condition around it does not hold. */
  | "inactive";

/** One definition with all that decides about it. */
export interface DefinitionProvenance {
  readonly status: DefinitionStatus;
  readonly source: ModuleSource;
  readonly place: Place | undefined;
  /** What was written; a thunk's result if it was computed. */
  readonly value: unknown;
  readonly isThunk: boolean;
  readonly priority: number;
  readonly order: number;
  /** Whether each condition around the definition holds, outermost first; undefined where it was not asked. */
  readonly conditions: readonly { readonly source: ModuleSource; readonly holds: boolean | undefined }[];
}

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
    const winners = new Set(this.survivors());
    return this.all().map((each) => {
      const conditions = conditionsOf(each, this.cell);
      const inactive = conditions.some((condition) => condition.holds === false);
      return {
        status: winners.has(each) ? "wins" : inactive ? "inactive" : "loses",
        source: each.source,
        place: locate(each.source, "config", this.cell),
        value: winners.has(each) ? this.computed(each) : each.value,
        isThunk: typeof each.value === "function",
        priority: each.priority,
        order: each.order,
        conditions,
      };
    });
  }

  private tryForce(): void {
    try {
      this.cell.force();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
    }
  }

  private computed(definition: DefinitionRecord): unknown {
    const results = computeThunks([definition], this.cell).map((each) => each.value);
    return results.length === 1 ? results[0] : results;
  }

  private expanded: readonly DefinitionRecord[] | undefined = undefined;
  private all(): readonly DefinitionRecord[] {
    if (this.expanded === undefined) {
      const sink: DefinitionRecord[] = [];
      for (const each of this.cell.allDefinitions(this.fields)) expandKeepingFalse(each, this.cell, sink);
      this.expanded = sink;
    }
    return this.expanded;
  }
  private survivors(): readonly DefinitionRecord[] {
    return select(this.all(), this.cell);
  }
}

/** Like `expand`, but keeps definitions under a condition that is written as false, for provenance. */
function expandKeepingFalse(definition: DefinitionRecord, location: Location, sink: DefinitionRecord[]): void {
  const { value } = definition;
  if (value instanceof PropertyRecord && value._type === "if" && value.parameter === false) {
    expand(definition.inside(new PropertyRecord("if", value.content, () => false)), location, sink, false);
  } else {
    expand(definition, location, sink, false);
  }
}

function conditionsOf(definition: DefinitionRecord, location: Location): DefinitionProvenance["conditions"] {
  const chain: ConditionLink[] = [];
  for (let at = definition.condition; at !== undefined; at = at.next) chain.push(at);
  let reached = true;
  return chain.reverse().map((link) => {
    const holds = reached ? link.holds(location) : undefined;
    reached = holds === true;
    return { source: link.source, holds };
  });
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
