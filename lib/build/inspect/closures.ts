import * as Effect from "effect/Effect";
import { type StorePath, storePathName } from "#lib/derivations/store-path.ts";
import { InvalidPathError, type StoreError } from "#lib/store/errors.ts";
import type { PathInfo } from "#lib/store/path-info.ts";
import { Store } from "#lib/store/store.ts";

/** What is known of a store path, with the size of everything that it needs at run time. */
export interface PathDetails extends PathInfo {
  /** Where it lies on this machine. */
  readonly physical: string;
  /** Bytes of NAR of the path and all that it refers to, directly or not. */
  readonly closureSize: number;
  readonly closure: readonly StorePath[];
}

/** Looks a valid path up. */
const validInfo = Effect.fnUntraced(function* (path: StorePath): Effect.fn.Return<PathInfo, StoreError, Store> {
  const store = yield* Store;
  return (yield* store.pathInfo(path)) ?? (yield* new InvalidPathError({ path }));
});

/** The infos of a path's closure, by path. */
const closureInfos = Effect.fnUntraced(function* (
  path: StorePath,
): Effect.fn.Return<ReadonlyMap<StorePath, PathInfo>, StoreError, Store> {
  const store = yield* Store;
  const paths = yield* store.closure([path]);
  const infos = yield* Effect.forEach(paths, validInfo, { concurrency: 16 });
  return new Map(infos.map((info) => [info.path, info]));
});

/** Sizes and references of a path. */
export const pathDetails = Effect.fnUntraced(function* (
  path: StorePath,
): Effect.fn.Return<PathDetails, StoreError, Store> {
  const store = yield* Store;
  const infos = yield* closureInfos(path);
  const info = infos.get(path) ?? (yield* new InvalidPathError({ path }));
  let closureSize = 0;
  for (const { narSize } of infos.values()) closureSize += narSize;
  return { ...info, physical: store.physical(path), closureSize, closure: [...infos.keys()] };
});

/** How much of one package there is in two closures. */
export interface PackageChange {
  readonly name: string;
  /** Versions, sorted; "" for a name without one. Empty where the package is absent. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Bytes of NAR, after less before. */
  readonly sizeChange: number;
}

/**
 * What changed from one closure to another: packages by name, with versions and sizes. Packages whose versions are
 * the same and whose size changed by less than 8 KiB are left out: a different time stamp is no news.
 */
export const diffClosures = Effect.fnUntraced(function* (
  before: StorePath,
  after: StorePath,
): Effect.fn.Return<readonly PackageChange[], StoreError, Store> {
  const [left, right] = [byPackage(yield* closureInfos(before)), byPackage(yield* closureInfos(after))];
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  return names.flatMap((name) => {
    const [old, fresh] = [left.get(name) ?? none, right.get(name) ?? none];
    const change = {
      name,
      before: [...old.versions].sort(),
      after: [...fresh.versions].sort(),
      sizeChange: fresh.size - old.size,
    };
    const sameVersions = change.before.join(" ") === change.after.join(" ") && old.versions.size === fresh.versions.size;
    return sameVersions && Math.abs(change.sizeChange) < leastSizeChange ? [] : [change];
  });
});

const leastSizeChange = 8 * 1024;

interface PackageSize {
  readonly versions: Set<string>;
  size: number;
}

const none: PackageSize = { versions: new Set(), size: 0 };

function byPackage(infos: ReadonlyMap<StorePath, PathInfo>): Map<string, PackageSize> {
  const packages = new Map<string, PackageSize>();
  for (const { path, narSize } of infos.values()) {
    const { name, version } = parsePackageName(storePathName(path));
    const known = packages.get(name) ?? { versions: new Set<string>(), size: 0 };
    known.versions.add(version);
    known.size += narSize;
    packages.set(name, known);
  }
  return packages;
}

/** Nix's rule: the version begins after the first dash that no letter follows. */
export function parsePackageName(text: string): { readonly name: string; readonly version: string } {
  const dash = text.search(/-[^a-zA-Z]/);
  return dash < 0 ? { name: text, version: "" } : { name: text.slice(0, dash), version: text.slice(dash + 1) };
}
