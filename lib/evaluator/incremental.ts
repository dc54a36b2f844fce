/**
 * Evaluating again after a change. A replaced module takes its definitions out
 * of the tree and puts the new ones in; only the options whose definitions
 * differ, and what was computed from them, are computed again. An extended
 * evaluation is a new tree, whose options take over the values of those that
 * have the same definitions and read the same values.
 */
import { Cell } from "./cells.ts";
import type { LoadedModule } from "./collect.ts";
import { DefinitionRecord } from "./definition-record.ts";
import { type Evaluation } from "./evaluation.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import { type OptionPath, pathOf } from "./location.ts";
import { expand } from "./merge.ts";
import type { ModuleSource } from "./module-source.ts";
import { isRecord, recordSourceOf } from "./records.ts";
import { equal } from "./types/make.ts";

/** What replacing a module did. */
export interface Replacement {
  /** The options whose values were forgotten. They are computed when they are read. */
  readonly affected: readonly OptionPath[];
  /** Whether the module's structure differed, so that everything was forgotten. */
  readonly everything: boolean;
}

/** Puts `after` in the place of `before`, which must be one of the evaluation's loaded modules. */
export function replaceDefinitions(evaluation: Evaluation, before: LoadedModule, after: LoadedModule): Replacement {
  const order = new Map<ModuleSource, number>();
  for (const [index, module] of evaluation.modules.entries()) order.set(module.source, index);
  order.set(after.source, order.get(before.source) ?? 0);
  const changed: OptionCell[] = [];
  const replaced = redefine(
    evaluation.root,
    before.config === undefined ? [] : [new DefinitionRecord(before.config, before.source, before.scope)],
    after.config === undefined ? [] : [new DefinitionRecord(after.config, after.source, after.scope)],
    { order, before: before.source, changed },
  );
  if (!replaced) return { affected: [], everything: true };
  const affected = [...Cell.invalidate(changed)]
    .filter((cell) => cell instanceof OptionCell)
    .map((cell) => pathOf(cell));
  return { affected, everything: false };
}

interface Redefinition {
  readonly order: ReadonlyMap<ModuleSource, number>;
  readonly before: ModuleSource;
  readonly changed: OptionCell[];
}

/** False when the definitions do not fit the declared options one to one. */
function redefine(
  node: GroupNode,
  before: readonly DefinitionRecord[],
  after: readonly DefinitionRecord[],
  redefinition: Redefinition,
): boolean {
  const old = byKey(node, before);
  const fresh = byKey(node, after);
  if (old === undefined || fresh === undefined) return false;
  node.distribute();
  for (const key of new Set([...old.keys(), ...fresh.keys()])) {
    const child = node.existing(key);
    const [was, is] = [old.get(key) ?? [], fresh.get(key) ?? []];
    if (child === undefined) return false;
    if (child instanceof GroupNode) {
      if (!redefine(child, was, is, redefinition)) return false;
    } else {
      if (child.fields.forward !== undefined) return false;
      if (!sameDefinitions(was, is)) redefinition.changed.push(child);
      child.definitions = inOrder(
        [...child.definitions.filter((each) => each.source !== redefinition.before), ...is],
        redefinition.order,
      );
    }
  }
  return true;
}

function byKey(node: GroupNode, definitions: readonly DefinitionRecord[]): Map<string, DefinitionRecord[]> | undefined {
  const expanded: DefinitionRecord[] = [];
  for (const each of definitions) expand(each, node.location, expanded, true);
  const keys = new Map<string, DefinitionRecord[]>();
  for (const each of expanded) {
    if (!isRecord(each.value)) return undefined;
    for (const key of Object.keys(each.value)) {
      const inner = each.inside(each.value[key]);
      const list = keys.get(key);
      if (list === undefined) keys.set(key, [inner]);
      else list.push(inner);
    }
  }
  return keys;
}

function inOrder(
  definitions: readonly DefinitionRecord[],
  order: ReadonlyMap<ModuleSource, number>,
): readonly DefinitionRecord[] {
  return [...definitions].sort((a, b) => (order.get(a.source) ?? -1) - (order.get(b.source) ?? -1));
}

/** Whether two lists of definitions are certain to mean the same; thunks are the same only if they are one function. */
function sameDefinitions(a: readonly DefinitionRecord[], b: readonly DefinitionRecord[]): boolean {
  return a.length === b.length && a.every((each, index) => sameDefinition(each, b[index] as DefinitionRecord));
}

function sameDefinition(a: DefinitionRecord, b: DefinitionRecord): boolean {
  return (
    a.priority === b.priority &&
    a.order === b.order &&
    a.condition?.condition === b.condition?.condition &&
    a.condition?.next === undefined &&
    b.condition?.next === undefined &&
    equal(a.value, b.value)
  );
}

/** The value that a cell of an earlier evaluation has and that must be this cell's too. */
export function adoptable(cell: OptionCell, donor: Evaluation): { readonly value: unknown } | undefined {
  const earlier = donor.cellAt(pathOf(cell));
  if (earlier === undefined || !earlier.isDone || earlier.shape.declarations.length !== cell.shape.declarations.length)
    return undefined;
  if (earlier.shape.declarations.some((each, index) => each.fields !== cell.shape.declarations[index]?.fields))
    return undefined;
  if (!sameDefinitions(earlier.definitions, cell.definitions)) return undefined;
  const value = earlier.force();
  if (!isFinished(value)) return undefined;
  for (const read of optionsRead(earlier)) {
    const now = cell.evaluation.cellAt(pathOf(read));
    if (now === undefined || !Object.is(now.force(), read.force())) return undefined;
  }
  return { value };
}

/** Values that hold nothing which is still to be computed in the earlier evaluation. */
function isFinished(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "function";
  if (recordSourceOf(value) !== undefined || !Object.isFrozen(value)) return false;
  const inner: readonly unknown[] = Array.isArray(value)
    ? value
    : isRecord(value)
      ? Object.values(value)
      : [undefined, value];
  return inner.every((each) => typeof each !== "object" || each === null);
}

/** The options a cell read, through conditions and elements. */
function optionsRead(cell: Cell): ReadonlySet<OptionCell> {
  const found = new Set<OptionCell>();
  const seen = new Set<Cell>(cell.reads);
  for (const each of seen) {
    if (each instanceof OptionCell) found.add(each);
    else for (const inner of each.reads ?? []) seen.add(inner);
  }
  return found;
}
