import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { InstantiatedDerivation, Instantiation } from "#lib/derivations/instantiate.ts";
import type { DerivationPath } from "#lib/derivations/store-path.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { type Plan, type PlannedSubstitution, realisedOutput } from "../plan.ts";
import type { Pool } from "../scheduler.ts";

/** A part of a plan that has a name of its own. */
export interface Task {
  readonly id: string;
  /** What it gives; what these need counts to the task as well, unless an earlier one needs it. */
  readonly derivations: readonly Derivation[];
}

/** What has to be done for a task. */
export type TaskState =
  /** Something has to be built. */
  | "build"
  /** Something has to be downloaded, or taken out of a binary cache, and nothing to be built. */
  | "fetch"
  /** All that it gives is in the store. */
  | "cached"
  /** What it gives is not in the store, and nothing that has to be built needs it. */
  | "not needed"
  /** It gives nothing that is built: evaluation has done it. */
  | "evaluated";

/** One derivation that has to be realised, or whose outputs a binary cache has. */
export type TodoItem =
  | { readonly kind: Pool; readonly derivation: InstantiatedDerivation }
  | ({ readonly kind: "cache" } & PlannedSubstitution);

/** A task, and what a build would do for it. */
export interface PlannedTask<T extends Task> {
  readonly task: T;
  readonly state: TaskState;
  /** The tasks that it needs, by id. */
  readonly after: readonly string[];
  /** What caches have, then the rest; of each inputs before dependents. */
  readonly todo: readonly TodoItem[];
}

/**
 * Deals a plan out to tasks. A derivation that several need counts to the first
 * of them, so the tasks can be done in their order; what needs what, the
 * derivations tell.
 */
export const planTasks = Effect.fnUntraced(function* <T extends Task>(
  tasks: readonly T[],
  instantiation: Instantiation,
  plan: Plan,
): Effect.fn.Return<readonly PlannedTask<T>[], StoreError, Store> {
  const store = yield* Store;
  const owners = ownersOf(tasks, instantiation);
  const needs = neededTasks(tasks, owners, instantiation);
  const todo = new Map<number, TodoItem[]>();
  for (const item of todoOf(plan)) {
    const owner = owners.get(item.derivation.path);
    if (owner === undefined) continue;
    const items = todo.get(owner) ?? [];
    items.push(item);
    todo.set(owner, items);
  }
  const planned: PlannedTask<T>[] = [];
  for (const [index, task] of tasks.entries()) {
    const items = todo.get(index) ?? [];
    const after = [...(needs[index] ?? [])].sort((a, b) => a - b).flatMap((each) => tasks[each]?.id ?? []);
    const state = items.length > 0 ? stateOf(items) : yield* restingState(store, task, instantiation);
    planned.push({ task, state, after, todo: items });
  }
  return planned;
});

/** All that a plan says is to be done: what caches have, then the rest. */
export const todoOf = ({ offered, builds }: Plan): readonly TodoItem[] => [
  ...offered.map((substitution) => ({ kind: "cache" as const, ...substitution })),
  ...builds.map(({ derivation, pool }) => ({ kind: pool, derivation })),
];

const stateOf = (items: readonly TodoItem[]): TaskState =>
  items.some(({ kind }) => kind === "build") ? "build" : "fetch";

/** Of a task for which nothing has to be done. */
const restingState = Effect.fnUntraced(function* (
  store: Store["Service"],
  { derivations }: Task,
  instantiation: Instantiation,
): Effect.fn.Return<TaskState, StoreError> {
  if (derivations.length === 0) return "evaluated";
  for (const derivation of derivations) {
    const instantiated = instantiation.derivations.get(derivation);
    if (instantiated === undefined) return "not needed";
    for (const output of instantiated.store.outputs.keys()) {
      const path = yield* realisedOutput(store, instantiated.store, instantiated.hashModulo, output);
      if (path === undefined) return "not needed";
    }
  }
  return "cached";
});

/** To which task, by its index, each derivation counts: the first that gives or needs it. */
function ownersOf(tasks: readonly Task[], { derivations, byPath }: Instantiation): ReadonlyMap<DerivationPath, number> {
  const owners = new Map<DerivationPath, number>();
  for (const [index, task] of tasks.entries()) {
    const pending = task.derivations.flatMap((each) => derivations.get(each)?.path ?? []);
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (owners.has(path)) continue;
      owners.set(path, index);
      pending.push(...(byPath.get(path)?.store.inputDerivations.keys() ?? []));
    }
  }
  return owners;
}

/** For each task the indices of those from which its derivations have inputs: earlier ones, since these come first. */
function neededTasks(
  tasks: readonly Task[],
  owners: ReadonlyMap<DerivationPath, number>,
  { byPath }: Instantiation,
): readonly ReadonlySet<number>[] {
  const needs = tasks.map(() => new Set<number>());
  for (const [path, owner] of owners) {
    for (const input of byPath.get(path)?.store.inputDerivations.keys() ?? []) {
      const other = owners.get(input);
      if (other !== undefined && other !== owner) needs[owner]?.add(other);
    }
  }
  return needs;
}
