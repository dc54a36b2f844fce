import * as Effect from "effect/Effect";
import { type StorePath, storePathName } from "#lib/derivations/store-path.ts";
import { InvalidPathError, type StoreError } from "./errors.ts";
import type { PathInfo } from "./path-info.ts";
import { Store } from "./store.ts";

/** A path, its own size and that of everything it needs, in bytes of archives. */
export interface ClosureSize {
  readonly path: StorePath;
  readonly own: number;
  readonly closure: number;
  /** Paths in the closure, the path itself included. */
  readonly paths: number;
}

/** The infos of a closure, by path. */
const closureInfos = Effect.fnUntraced(function* (
  paths: Iterable<StorePath>,
): Effect.fn.Return<ReadonlyMap<StorePath, PathInfo>, StoreError, Store> {
  const store = yield* Store;
  const infos = new Map<StorePath, PathInfo>();
  for (const path of yield* store.closure(paths)) {
    const info = yield* store.pathInfo(path);
    if (info === undefined) return yield* Effect.fail(new InvalidPathError({ path }));
    infos.set(path, info);
  }
  return infos;
});

/** How large a path is with everything that it needs. */
export const closureSize = Effect.fnUntraced(function* (
  path: StorePath,
): Effect.fn.Return<ClosureSize, StoreError, Store> {
  const infos = yield* closureInfos([path]);
  let closure = 0;
  for (const info of infos.values()) closure += info.narSize;
  return { path, own: infos.get(path)?.narSize ?? 0, closure, paths: infos.size };
});

/**
 * Why `from` needs `to`: a shortest chain of references from the one to the other, both included; the first in the
 * order of paths if there are several. Undefined if it does not need it.
 */
export const whyDepends = Effect.fnUntraced(function* (
  from: StorePath,
  to: StorePath,
): Effect.fn.Return<readonly StorePath[] | undefined, StoreError, Store> {
  const infos = yield* closureInfos([from]);
  const reachedFrom = new Map<StorePath, StorePath | undefined>([[from, undefined]]);
  // Breadth first: a map may grow while it is iterated, and new members come last.
  for (const path of reachedFrom.keys()) {
    if (path === to) break;
    for (const reference of infos.get(path)?.references ?? []) {
      if (!reachedFrom.has(reference)) reachedFrom.set(reference, path);
    }
  }
  if (!reachedFrom.has(to)) return undefined;
  const chain: StorePath[] = [];
  for (let path: StorePath | undefined = to; path !== undefined; path = reachedFrom.get(path)) chain.push(path);
  return chain.reverse();
});

/** What became of the paths of one name between two closures. */
export interface ClosureDifference {
  readonly name: string;
  /** Only in the first closure, and only in the second. */
  readonly removed: readonly StorePath[];
  readonly added: readonly StorePath[];
  /** Bytes that the second closure has more; negative if less. */
  readonly growth: number;
}

/** What differs between two closures, by name. */
export const diffClosures = Effect.fnUntraced(function* (
  before: StorePath,
  after: StorePath,
): Effect.fn.Return<readonly ClosureDifference[], StoreError, Store> {
  const old = yield* closureInfos([before]);
  const fresh = yield* closureInfos([after]);
  const byName = new Map<string, { removed: StorePath[]; added: StorePath[]; growth: number }>();
  const entry = (path: StorePath): { removed: StorePath[]; added: StorePath[]; growth: number } => {
    const known = byName.get(storePathName(path)) ?? { removed: [], added: [], growth: 0 };
    byName.set(storePathName(path), known);
    return known;
  };
  for (const [path, { narSize }] of old) {
    if (fresh.has(path)) continue;
    const difference = entry(path);
    difference.removed.push(path);
    difference.growth -= narSize;
  }
  for (const [path, { narSize }] of fresh) {
    if (old.has(path)) continue;
    const difference = entry(path);
    difference.added.push(path);
    difference.growth += narSize;
  }
  return [...byName]
    .map(([name, difference]) => ({ name, ...difference }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
});
