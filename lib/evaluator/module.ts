/** Modules: what `imports` may name, and how a module knows where it was written. */
import type { ConfigDefinition } from "./config.ts";
import type { AnyOptionType } from "./types/option-type.ts";

/** A tree of option declarations. */
export type OptionTree = object;

/** A module as the evaluator sees it: any plain object of this shape. */
export interface Module {
  /** Shown in messages; the file if absent. */
  readonly name?: string;
  /** Where the module comes from, for generated modules; else the call site of `defineModule`. */
  readonly file?: string;
  /** Two modules with one key are one module. */
  readonly key?: string | number;
  /** The kind of evaluation the module belongs to, e.g. "system". */
  readonly class?: string;
  readonly imports?: readonly ModuleReference[];
  readonly disabledModules?: readonly ModuleReference[];
  readonly options?: OptionTree;
  readonly config?: unknown;
  /** The type of definitions that no option matches. */
  readonly freeformType?: AnyOptionType;
  readonly meta?: unknown;
}

/** Makes a module from the arguments of its evaluation. Reading `config` here, outside of a thunk, is a cycle. */
export interface ModuleFunction {
  // oxlint-disable-next-line typescript/no-explicit-any -- arguments are whatever specialArgs and `_module.args` provide
  (arguments_: any): Module | object;
}

/** A module, a function that makes one, or the path of a TOML or JSON file. */
export type ModuleReference = Module | ModuleFunction | string;

/** Where a module was defined; formatted only when somebody asks. */
export class CallSite {
  private readonly captured: { stack?: string } = {};
  private parsed: { readonly file: string; readonly line: number; readonly column: number } | undefined | null = null;

  constructor(callee: (...parameters: never[]) => unknown) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 1;
    // Capturing is cheap; V8 formats (and source-maps) the trace when `stack` is first read.
    Error.captureStackTrace(this.captured, callee);
    Error.stackTraceLimit = limit;
  }

  /** The file, line and column of the call, or undefined where the runtime does not tell. */
  get position(): { readonly file: string; readonly line: number; readonly column: number } | undefined {
    if (this.parsed === null) {
      const match = /\(?((?:file:\/\/)?[^\s()]+):(\d+):(\d+)\)?\s*$/u.exec(this.captured.stack ?? "");
      this.parsed =
        match === null
          ? undefined
          : { file: filePath(match[1] ?? ""), line: Number(match[2]), column: Number(match[3]) };
    }
    return this.parsed;
  }
}

function filePath(location: string): string {
  return location.startsWith("file://") ? decodeURIComponent(location.slice("file://".length)) : location;
}

const callSites = new WeakMap<object, CallSite>();

/** The call of `defineModule` that made a module. */
export function callSiteOf(module: object): CallSite | undefined {
  return callSites.get(module);
}

/** Remembers that `callee` was called to make a module. */
export function recordCallSite(module: object, callee: (...parameters: never[]) => unknown): void {
  callSites.set(module, new CallSite(callee));
}

/** A module in a form that carries its option types. */
export interface DefinedModule<O> extends Module {
  readonly options?: O & OptionTree;
}

/**
 * Defines a module. `config` is checked against all announced options
 * (see `Declarations` in config.ts).
 */
export function defineModule<O extends OptionTree = object>(module: {
  readonly name?: string;
  readonly file?: string;
  readonly key?: string | number;
  readonly class?: string;
  readonly imports?: readonly ModuleReference[];
  readonly disabledModules?: readonly ModuleReference[];
  readonly options?: O;
  readonly config?: ConfigDefinition;
  readonly freeformType?: AnyOptionType;
  readonly meta?: unknown;
}): DefinedModule<O> {
  recordCallSite(module, defineModule);
  return Object.freeze(module);
}
