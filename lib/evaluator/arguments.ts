/** What thunks and module functions are called with. */
import { Cell } from "./cells.ts";
import type { ThunkScope } from "./definition-record.ts";
import { EvaluationError } from "./errors.ts";
import type { Evaluation } from "./evaluation.ts";
import { nearest } from "./levenshtein.ts";
import { type Location, pathOf } from "./location.ts";
import { asRecordSource, byCodeUnit, type RecordSource, RecordSource as LazyRecord } from "./records.ts";

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
    const names = [
      ...fixedArguments,
      ...Object.keys(own ?? {}),
      ...Object.keys(specialArguments),
      ...(this.provided()?.keyList() ?? []),
    ];
    return [...new Set(outer === undefined ? names : [...names, ...Object.keys(outer.scope.arguments)])].sort(
      byCodeUnit,
    );
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
    return this.evaluation.root.hasDefinitionsFor("_module")
      ? asRecordSource(this.evaluation.builtIn("args").force())
      : undefined;
  }
  readKey(key: string): unknown {
    const { own, specialArguments, outer } = this.evaluation.input;
    if (own !== undefined && Object.hasOwn(own, key)) return own[key];
    if (Object.hasOwn(specialArguments, key)) return specialArguments[key];
    switch (key) {
      case "config":
        return this.evaluation.scope.config;
      case "options":
        return this.evaluation.isReady
          ? optionsView(this.evaluation).record
          : new EarlyRecord(() => optionsView(this.evaluation)).record;
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
    return provided?.hasKey(key) === true || outer === undefined
      ? provided?.readKey(key)
      : Reflect.get(outer.scope.arguments, key);
  }
  missingKey(key: string): unknown {
    throw new EvaluationError({
      reason: "missing-argument",
      argument: key,
      reader: Cell.current,
      suggestions: nearest(key, this.keyList()),
    });
  }
}

function outermost(evaluation: Evaluation): Evaluation {
  let at = evaluation;
  while (at.input.outer !== undefined) at = at.input.outer;
  return at;
}
