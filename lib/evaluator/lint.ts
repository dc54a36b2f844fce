/**
 * Lints on sets of modules: what evaluates but does not mean what its author
 * thought. The two kinds of lost defaults broke real systems.
 */
import type { Cell } from "./cells.ts";
import type { DefinitionRecord } from "./definition-record.ts";
import { type EvaluationRequest, newEvaluation, requestOf } from "./evaluate.ts";
import { type Evaluation } from "./evaluation.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import { type Location, type OptionPath, showLocation } from "./location.ts";
import { expand } from "./merge.ts";
import { locate, showPlace } from "./places.ts";
import { defaultPriority, optionDefaultPriority } from "./properties.ts";
import { byCodeUnit, isRecord, recordSourceOf, toJson } from "./records.ts";
import { AttributeRecord } from "./types/containers.ts";

/** The rules, by what they find. */
export type LintRule =
  /** A record or list under mkDefault is lost as a whole because somebody defines a part of it. */
  | "lost-default"
  /** The value changes when modules are imported in another order. */
  | "order-dependent"
  /** No module sets the option and nothing reads it. */
  | "unused-option"
  /** The option is set, but nothing that was asked for reads it. */
  | "unread-option"
  /** Several modules declare the option. */
  | "declared-twice";

/** One finding. */
export interface Lint {
  readonly rule: LintRule;
  readonly option: string;
  readonly message: string;
  /** "modules/users.ts:12:5" */
  readonly places: readonly string[];
}

/** What is asked of the configuration, to tell which options matter. */
export interface LintOptions {
  /** Options that are read from outside, such as build products. Without them only reads between options count. */
  readonly roots?: readonly OptionPath[];
}

/** Looks for everything at once; sorted by option and rule. */
export function lintModules(request: EvaluationRequest, options: LintOptions = {}): readonly Lint[] {
  const evaluation = newEvaluation(request);
  evaluation.check();
  const lints = [
    ...lostDefaults(evaluation),
    ...orderDependent(
      evaluation,
      newEvaluation(request, (modules) => [...modules].reverse()),
    ),
    ...unused(newEvaluation(request), options.roots),
    ...declaredTwice(evaluation),
  ];
  return lints.sort((a, b) => byCodeUnit(a.option, b.option) || byCodeUnit(a.rule, b.rule));
}

/** The same for what `evalModules` has made. */
export const lintSystem = (evaluated: object, options?: LintOptions): readonly Lint[] =>
  lintModules(requestOf(evaluated), options);

/** Every option below a group, without looking into values. */
function* optionsBelow(node: GroupNode): Generator<OptionCell> {
  for (const key of node.shape.keys) {
    if (key === "_module") continue;
    const child = node.child(key);
    if (child instanceof OptionCell) yield child;
    else if (child !== undefined) yield* optionsBelow(child);
  }
}

/** The value, or undefined where it cannot be computed: errors are not this file's business. */
function tryForce(cell: Cell): unknown {
  try {
    return cell.force();
  } catch {
    return undefined;
  }
}

function* lostDefaults(evaluation: Evaluation): Generator<Lint> {
  for (const cell of optionsBelow(evaluation.root)) {
    yield* lostAt(cell, cell.definitions);
    yield* lostInside(tryForce(cell));
  }
}

function* lostInside(value: unknown): Generator<Lint> {
  const source = recordSourceOf(value);
  if (source instanceof AttributeRecord) {
    for (const key of source.keyList()) {
      const cell = source.cell(key);
      if (cell === undefined) continue;
      yield* lostAt(cell, cell.definitions);
      yield* lostInside(tryForce(cell));
    }
  } else if (source instanceof GroupNode) {
    for (const cell of optionsBelow(source)) {
      yield* lostAt(cell, cell.definitions);
      yield* lostInside(tryForce(cell));
    }
  } else if (Array.isArray(value)) {
    for (const element of value) yield* lostInside(element);
  }
}

function* lostAt(location: Location, definitions: readonly DefinitionRecord[]): Generator<Lint> {
  if (definitions.length < 2) return;
  const expanded: DefinitionRecord[] = [];
  for (const each of definitions) expand(each, location, expanded, false);
  const best = Math.min(...expanded.map((each) => each.priority));
  const isWhole = ({ value }: DefinitionRecord): boolean =>
    Array.isArray(value) ? value.length > 0 : isRecord(value) && Object.keys(value).length > 0;
  // Forcing on purpose replaces a default on purpose; a plain definition rarely means to.
  if (best < defaultPriority) return;
  const lost = expanded.filter(
    (each) =>
      each.priority > best &&
      each.priority > defaultPriority &&
      each.priority <= optionDefaultPriority &&
      isWhole(each),
  );
  if (lost.length === 0) return;
  const winners = expanded.filter((each) => each.priority === best && isWhole(each));
  if (winners.length === 0) return;
  const kind = Array.isArray(lost[0]?.value) ? "list" : "record";
  yield {
    rule: "lost-default",
    option: showLocation(location),
    message: `the ${kind} given with mkDefault is lost as a whole, because another module defines this ${kind} too; ${kind === "list" ? "define it plainly, or with mkBefore" : "put mkDefault around each value inside"}`,
    places: [...lost, ...winners].map((each) => placeOf(each, location)),
  };
}

function placeOf(definition: DefinitionRecord, location: Location): string {
  const place = locate(definition.source, "config", location);
  return place === undefined ? definition.source.label : showPlace(place);
}

function shownValue(cell: OptionCell): string | undefined {
  try {
    const value = cell.force();
    if (cell.fields.unordered !== true || !Array.isArray(value)) return toJson(value);
    return `[${value.map(toJson).sort().join(",")}]`;
  } catch {
    return undefined;
  }
}

function* orderDependent(evaluation: Evaluation, reversed: Evaluation): Generator<Lint> {
  const others = new Map([...optionsBelow(reversed.root)].map((cell) => [showLocation(cell), cell]));
  for (const cell of optionsBelow(evaluation.root)) {
    // What only follows from another option is that option's finding; what is not the user's is nobody's.
    if (cell.definitions.length < 2 || cell.fields.internal === true) continue;
    const name = showLocation(cell);
    const other = others.get(name);
    const [value, reversedValue] = [shownValue(cell), other === undefined ? undefined : shownValue(other)];
    if (value === reversedValue || value === undefined || reversedValue === undefined) continue;
    const [one, two] = differingParts(value, reversedValue);
    yield {
      rule: "order-dependent",
      option: name,
      message: `the value depends on the order of imports: ${one} or ${two}; give the order with mkBefore, mkAfter or mkOrder`,
      places: cell.definitions.map((each) => placeOf(each, cell)),
    };
  }
}

/** Two texts from shortly before the first character in which they differ, cut to some length. */
function differingParts(one: string, two: string): readonly [string, string] {
  let start = 0;
  while (one[start] === two[start]) start++;
  start = start <= partContext ? 0 : start - partContext;
  const part = (text: string): string =>
    `${start > 0 ? "…" : ""}${text.slice(start, start + partLength)}${text.length > start + partLength ? "…" : ""}`;
  return [part(one), part(two)];
}

const partContext = 20;
const partLength = 80;

function* unused(evaluation: Evaluation, roots: readonly OptionPath[] | undefined): Generator<Lint> {
  evaluation.check();
  const cells = [...optionsBelow(evaluation.root)];
  if (roots === undefined) {
    for (const cell of cells) readWhole(cell);
  } else {
    for (const root of roots) {
      const cell = evaluation.cellAt(root);
      if (cell !== undefined) readWhole(cell);
    }
  }
  for (const cell of cells) {
    const isRead = roots === undefined ? cell.hasReaders : cell.isSettled;
    const { internal, forward, readBy } = cell.fields;
    if (isRead || internal === true || readBy !== undefined || forward !== undefined) continue;
    const isSet = cell.definitions.length > 0;
    if (isSet && roots === undefined) continue;
    yield {
      rule: isSet ? "unread-option" : "unused-option",
      option: showLocation(cell),
      message: isSet ? "the option is set, but nothing reads it" : "no module sets this option and nothing reads it",
      places: isSet
        ? cell.definitions.map((each) => placeOf(each, cell))
        : cell.shape.declarations.map((each) => {
            const place = locate(each.source, "options", cell);
            return place === undefined ? each.source.label : showPlace(place);
          }),
    };
  }
}

/** Computes everything below a value, as its user outside would. */
function readWhole(cell: OptionCell): void {
  shownValue(cell);
}

function* declaredTwice(evaluation: Evaluation): Generator<Lint> {
  for (const cell of optionsBelow(evaluation.root)) {
    const { declarations } = cell.shape;
    if (declarations.length < 2) continue;
    yield {
      rule: "declared-twice",
      option: showLocation(cell),
      message: `${declarations.length} modules declare this option`,
      places: declarations.map((each) => {
        const place = locate(each.source, "options", cell);
        return place === undefined ? each.source.label : showPlace(place);
      }),
    };
  }
}
