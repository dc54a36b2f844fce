import type * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Queue from "effect/Queue";
import type * as Scope from "effect/Scope";
import { ReadyQueue } from "./ready-queue.ts";

/** Something to do once its inputs are done. */
export interface Task<Self> {
  /** Tasks of the same schedule that must be done before. */
  readonly inputs: ReadonlySet<Self>;
  /** Which budget it is taken from: processors, or the network. */
  readonly pool: Pool;
  /** Expected effort, in any unit. */
  readonly cost: number;
}

export type Pool = "build" | "fetch";

/** How many tasks of each pool run at once, and whether a failure stops the others. */
export interface ScheduleOptions {
  readonly slots: Readonly<Record<Pool, number>>;
  /** Goes on with what does not depend on the failed task. */
  readonly keepGoing: boolean;
}

/** A task that failed, and what therefore was not even tried. */
export interface TaskFailure<Node, Failure> {
  readonly task: Node;
  readonly failure: Failure;
  /** Every task that depends on it, directly or not. */
  readonly blocks: readonly Node[];
}

/**
 * Runs every task after its inputs, on the longest remaining path first. Succeeds also when tasks fail: with the
 * failures. Without `keepGoing` the first failure interrupts what runs; the result comes when that has ended.
 */
export const schedule = <Node extends Task<Node>, Failure, Requirements>(
  tasks: readonly Node[],
  options: ScheduleOptions,
  run: (task: Node) => Effect.Effect<void, Failure, Requirements>,
): Effect.Effect<readonly TaskFailure<Node, Failure>[], never, Exclude<Requirements, Scope.Scope>> =>
  Effect.gen(function* () {
    const dependents = dependentsOf(tasks);
    const priorities = criticalPaths(tasks, dependents);
    const missing = new Map(tasks.map((task) => [task, task.inputs.size]));
    const ready: Record<Pool, ReadyQueue<Node>> = { build: new ReadyQueue(), fetch: new ReadyQueue() };
    const free: Record<Pool, number> = { ...options.slots };
    const failures: TaskFailure<Node, Failure>[] = [];
    const completions = yield* Queue.unbounded<{ readonly task: Node; readonly exit: Exit.Exit<void, Failure> }>();
    let running = 0;

    const makeReady = (task: Node): void => ready[task.pool].add(task, priorities.get(task) ?? 0);
    for (const task of tasks) if (task.inputs.size === 0) makeReady(task);

    while (true) {
      for (const pool of ["fetch", "build"] as const) {
        while (free[pool] > 0 && ready[pool].size > 0) {
          const task = ready[pool].take();
          if (task === undefined) break;
          free[pool]--;
          running++;
          // The scope interrupts what still runs when this returns, and waits for it.
          yield* Effect.forkScoped(
            Effect.onExit(run(task), (exit) => Effect.sync(() => Queue.offerUnsafe(completions, { task, exit }))),
          );
        }
      }
      if (running === 0) return failures;

      const { task, exit } = yield* Queue.take(completions);
      running--;
      free[task.pool]++;
      if (Exit.isSuccess(exit)) {
        for (const dependent of dependents.get(task) ?? []) {
          const left = (missing.get(dependent) ?? 0) - 1;
          missing.set(dependent, left);
          if (left === 0) makeReady(dependent);
        }
        continue;
      }
      const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail");
      // Interruptions and bugs are not the task's result: they are everybody's.
      if (failure === undefined) return yield* Effect.failCause(exit.cause as Cause.Cause<never>);
      failures.push({ task, failure: failure.error, blocks: reachable(task, dependents) });
      if (!options.keepGoing) return failures;
    }
  }).pipe(Effect.scoped);

function dependentsOf<Node extends Task<Node>>(tasks: readonly Node[]): ReadonlyMap<Node, readonly Node[]> {
  const dependents = new Map<Node, Node[]>(tasks.map((task) => [task, []]));
  for (const task of tasks) for (const input of task.inputs) dependents.get(input)?.push(task);
  return dependents;
}

/** For each task the cost of the most expensive path from it to a task that nothing depends on. */
function criticalPaths<Node extends Task<Node>>(
  tasks: readonly Node[],
  dependents: ReadonlyMap<Node, readonly Node[]>,
): ReadonlyMap<Node, number> {
  const paths = new Map<Node, number>();
  const waiting = new Map(tasks.map((task) => [task, dependents.get(task)?.length ?? 0]));
  const next = tasks.filter((task) => waiting.get(task) === 0);
  for (let task = next.pop(); task !== undefined; task = next.pop()) {
    let longest = 0;
    for (const dependent of dependents.get(task) ?? []) longest = Math.max(longest, paths.get(dependent) ?? 0);
    paths.set(task, longest + task.cost);
    for (const input of task.inputs) {
      const left = (waiting.get(input) ?? 0) - 1;
      waiting.set(input, left);
      if (left === 0) next.push(input);
    }
  }
  return paths;
}

function reachable<Node extends Task<Node>>(from: Node, dependents: ReadonlyMap<Node, readonly Node[]>): Node[] {
  const found = new Set<Node>();
  const next = [...(dependents.get(from) ?? [])];
  for (let task = next.pop(); task !== undefined; task = next.pop()) {
    if (found.has(task)) continue;
    found.add(task);
    next.push(...(dependents.get(task) ?? []));
  }
  return [...found];
}
