import * as Effect from "effect/Effect";
import { emit } from "#lib/platform/events.ts";
import { suggest } from "./similar-names.ts";
import type { ResolveOptions } from "./apt.ts";
import { LockOutOfDate, UnknownEnvironment } from "./errors.ts";
import {
  withEnvironments,
  type EnvironmentRequest,
  type Lock,
  type LockedPackage,
  type MissingEnvironment,
} from "./lock.ts";

/** What a new answer changed in one environment. Packages are named `name:architecture`, sorted. */
export interface EnvironmentChange {
  readonly environment: string;
  readonly added: readonly { readonly package: string; readonly version: string }[];
  readonly removed: readonly { readonly package: string; readonly version: string }[];
  readonly changed: readonly { readonly package: string; readonly from: string; readonly to: string }[];
}

/** A new lock and what is new in it; environments without a change are not listed. */
interface LockUpdate {
  readonly lock: Lock;
  readonly changes: readonly EnvironmentChange[];
}

/**
 * Resolves what an evaluation found missing and adds it to the lock; all other pins stay.
 * Reports each environment as `lock-resolved`.
 */
export const resolveMissing = (lock: Lock, missing: ReadonlyMap<string, MissingEnvironment>, options: ResolveOptions) =>
  update(lock, [...missing.values()], options);

/** Fails when an evaluation found something missing: for `--locked`. */
export const requireLocked = Effect.fnUntraced(function* (
  file: string,
  missing: ReadonlyMap<string, MissingEnvironment>,
) {
  if (missing.size === 0) return;
  const environments = [...missing].map(([name, { reason }]) => ({ name, reason }));
  return yield* new LockOutOfDate({ file, environments });
});

/**
 * Resolves the named environments anew, to what the mirrors have today; all other pins stay.
 * `reason` is shown with each (`lock-resolved`), such as "bash_5.2.37-2_amd64.deb is gone from every mirror".
 */
export const refresh = Effect.fnUntraced(function* (
  lock: Lock,
  environmentNames: Iterable<string>,
  reason: string,
  options: ResolveOptions,
) {
  const requests: { request: EnvironmentRequest; reason: string }[] = [];
  for (const environment of new Set(environmentNames)) {
    const locked = lock.environments.get(environment);
    if (locked === undefined) {
      const known = [...lock.environments.keys()].sort();
      return yield* new UnknownEnvironment({ environment, suggestions: suggest(environment, known), known });
    }
    requests.push({ request: locked.request, reason });
  }
  return yield* update(lock, requests, options);
});

/** The environments that contain a pinned file: what to `refresh` when the file is gone. */
export function environmentsWith(lock: Lock, paths: ReadonlySet<string>): readonly string[] {
  return [...lock.environments]
    .filter(([, environment]) => environment.packages.some((path) => paths.has(path)))
    .map(([name]) => name)
    .sort();
}

const update = Effect.fnUntraced(function* (
  lock: Lock,
  wanted: readonly { readonly request: EnvironmentRequest; readonly reason: string }[],
  options: ResolveOptions,
) {
  const requests = wanted.map(({ request }) => request);
  // Most commands find everything locked and never need apt.
  const { resolve } = yield* Effect.promise(() => import("./apt.ts"));
  const resolved = yield* resolve(requests, options);
  for (const { request, reason } of wanted) {
    const packages = resolved.get(request.name)?.length ?? 0;
    yield* emit({ type: "lock-resolved", environment: request.name, packages, reason });
  }
  const next = withEnvironments(
    lock,
    requests.map((request) => [request, resolved.get(request.name) ?? []] as const),
  );
  const names = requests.map((request) => request.name).sort();
  return { lock: next, changes: names.flatMap((name) => difference(lock, next, name)) } satisfies LockUpdate;
});

/** What differs between two locks in one environment; nothing when it is the same. */
export function difference(before: Lock, after: Lock, environment: string): readonly EnvironmentChange[] {
  const old = versions(before, environment);
  const now = versions(after, environment);
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  const added: { package: string; version: string }[] = [];
  const removed: { package: string; version: string }[] = [];
  const changed: { package: string; from: string; to: string }[] = [];
  for (const name of names) {
    const from = old.get(name);
    const to = now.get(name);
    if (from === undefined && to !== undefined) added.push({ package: name, version: to.version });
    else if (from !== undefined && to === undefined) removed.push({ package: name, version: from.version });
    else if (from !== undefined && to !== undefined && (from.path !== to.path || from.sha256 !== to.sha256)) {
      changed.push({ package: name, from: from.version, to: to.version });
    }
  }
  return added.length + removed.length + changed.length === 0 ? [] : [{ environment, added, removed, changed }];
}

function versions(lock: Lock, environment: string): ReadonlyMap<string, LockedPackage> {
  const result = new Map<string, LockedPackage>();
  for (const path of lock.environments.get(environment)?.packages ?? []) {
    const pinned = lock.packages.get(path);
    if (pinned !== undefined) result.set(`${pinned.name}:${pinned.architecture}`, pinned);
  }
  return result;
}
