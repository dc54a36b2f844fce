/**
 * Cells: values computed once, on demand, without a limit on how deep they
 * depend on each other.
 *
 * A thunk reads another option synchronously, so a chain of options is a chain
 * of JavaScript calls. When that chain grows past `depthLimit` the evaluation
 * is unwound to its outermost call, the cell half-way down is evaluated first
 * on a fresh stack, and then the outer one is started again: thunks are pure,
 * so starting one twice is harmless, and every cell is started about twice at
 * most. Cells that wait for that stay marked, so a cycle is noticed however
 * long it is.
 */
import type { Location } from "./location.ts";

const idle = 0;
const running = 1;
const waiting = 2;
const done = 3;
const failed = 4;
type State = typeof idle | typeof running | typeof waiting | typeof done | typeof failed;

/** Nested cells before the stack is unwound; a level takes about ten frames of a thousand or more. */
const depthLimit = 120;

/** The cells being computed, outermost first; `depth` of them. The array keeps its length, which saves growing it. */
const stack: (Cell | undefined)[] = [];
let depth = 0;

function computing(from: number, to: number): readonly Cell[] {
  return stack.slice(from, to) as Cell[];
}

/** Set while a suspension unwinds, so that a thunk which catches everything cannot swallow it. */
let suspended: Suspension | undefined;
/** Paths from each waiting cell to the one that was pulled forward. */
const segments: (readonly Cell[])[] = [];

class Suspension {
  readonly target: Cell;
  /** The cells above the target, outermost first. */
  readonly path: readonly Cell[];
  constructor(path: readonly Cell[], target: Cell) {
    this.path = path;
    this.target = target;
  }
}

/** Unwinds to the outermost cell, which will evaluate the cell half-way down first. */
function suspend(): Suspension {
  const half = depth >> 1;
  suspended = new Suspension(computing(0, half), stack[half] as Cell);
  return suspended;
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith("Maximum call stack");
}

/** What a cell throws that turns out to need itself. Replaced by a full error in `errors.ts`' terms. */
export type CycleFactory = (cells: readonly Cell[]) => Error;

let makeCycleError: CycleFactory = (cells) => new Error(`infinite recursion through ${cells.length} options`);

/** Installs how a cycle becomes an error; the errors module does so when it is loaded. */
export function onCycle(factory: CycleFactory): void {
  makeCycleError = factory;
}

/** A value computed once. */
export abstract class Cell implements Location {
  abstract readonly up: Location | undefined;
  abstract readonly key: string;
  private state: State = idle;
  private result: unknown = undefined;
  /** The cells this one read, in order of first reading; undefined when none. */
  reads: Set<Cell> | undefined = undefined;
  /** The cells that read this one; some may have stopped doing so. */
  private readers: Set<Cell> | undefined = undefined;

  /** Computes the value; may read other cells. */
  protected abstract compute(): unknown;
  /** Called when computing failed, to add context or turn foreign exceptions into errors. */
  protected abstract failure(error: unknown): unknown;

  /** Whether another cell read this one. */
  get hasReaders(): boolean {
    return this.readers !== undefined;
  }

  /** Whether it is known what the value is, or that there is none. */
  get isSettled(): boolean {
    return this.state === done || this.state === failed;
  }

  /** Whether the value is known. */
  get isDone(): boolean {
    return this.state === done;
  }

  /** The value, computed now if need be. */
  force(): unknown {
    if (depth > 0) {
      const reader = stack[depth - 1] as Cell;
      if (reader !== this) {
        (reader.reads ??= new Set()).add(this);
        (this.readers ??= new Set()).add(reader);
      }
    }
    switch (this.state) {
      case done:
        return this.result;
      case failed:
        throw this.result;
      case running:
      case waiting:
        throw makeCycleError(cycleFrom(this));
      case idle:
        return depth === 0 ? this.forceOutermost() : this.attempt();
    }
  }

  /** The cell that is being computed right now, if any. */
  static get current(): Cell | undefined {
    return depth === 0 ? undefined : stack[depth - 1];
  }

  /** Whether an exception must pass through untouched because the stack is being unwound. */
  static mustUnwind(error: unknown): boolean {
    return suspended !== undefined || isStackOverflow(error);
  }

  /** Forgets the value; the next reader computes it again. */
  private forget(): void {
    this.state = idle;
    this.result = undefined;
    this.reads = undefined;
    this.readers = undefined;
  }

  /** Forgets the values of these cells and of all that were computed from them; returns what was forgotten. */
  static invalidate(cells: Iterable<Cell>): ReadonlySet<Cell> {
    const forgotten = new Set<Cell>(cells);
    // A set grows while it is walked, so this reaches all readers of readers.
    for (const cell of forgotten) {
      for (const reader of cell.readers ?? []) forgotten.add(reader);
      cell.forget();
    }
    return forgotten;
  }

  private attempt(): unknown {
    if (depth >= depthLimit) throw suspend();
    stack[depth++] = this;
    this.state = running;
    let value: unknown;
    try {
      value = this.compute();
      if (suspended !== undefined) throw suspended;
    } catch (error) {
      if (suspended === undefined && isStackOverflow(error) && depth > 8) suspend();
      stack[--depth] = undefined;
      if (suspended !== undefined) {
        this.state = idle;
        this.reads = undefined;
        throw suspended;
      }
      this.result = this.failure(error);
      this.state = failed;
      throw this.result;
    }
    stack[--depth] = undefined;
    this.result = value;
    this.state = done;
    return value;
  }

  private forceOutermost(): unknown {
    try {
      return this.attempt();
    } catch (error) {
      if (suspended === undefined) throw error;
      return this.forceDeep();
    }
  }

  /** Goes on after the first unwinding: evaluates what was pulled forward, then starts again what waits for it. */
  private forceDeep(): unknown {
    const waiters: Cell[] = [this];
    const firstSegment = segments.length;
    try {
      for (;;) {
        const cell = waiters[waiters.length - 1] as Cell;
        if (suspended !== undefined) {
          segments.push(suspended.path);
          waiters.push(suspended.target);
          suspended = undefined;
          cell.state = waiting;
          continue;
        }
        try {
          if (cell.state === waiting) cell.state = idle;
          if (cell.state === idle) cell.attempt();
        } catch (error) {
          if (suspended !== undefined) continue;
          if (waiters.length === 1) throw error;
        }
        waiters.pop();
        segments.length = Math.max(firstSegment, segments.length - 1);
        if (waiters.length === 0) return this.state === failed ? this.rethrow() : this.result;
      }
    } finally {
      for (const cell of waiters) if (cell.state === waiting) cell.forget();
      segments.length = firstSegment;
    }
  }

  private rethrow(): never {
    throw this.result;
  }
}

function cycleFrom(cell: Cell): readonly Cell[] {
  const at = stack.lastIndexOf(cell);
  if (at >= 0) return computing(at, depth);
  const waitingAt = segments.findIndex((segment) => segment[0] === cell);
  return [...segments.slice(Math.max(0, waitingAt)).flat(), ...computing(0, depth)];
}
