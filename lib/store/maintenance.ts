import * as Effect from "effect/Effect";
import { baseName, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { removeIfThere } from "./atomic-file.ts";
import { attempt } from "./attempt.ts";
import { type Collection, type CollectionOptions, collect } from "./collection.ts";
import type { StoreError } from "./errors.ts";
import type { FileLocks } from "./file-lock.ts";
import type { PathInfo } from "./path-info.ts";
import type { Registry } from "./registry.ts";
import { removeLeftovers } from "./temporary.ts";
import { deleteTree } from "./tree.ts";
import { collectionLock } from "./usage.ts";
import { findProblems, recoverInfo, type StoreProblem } from "./verification.ts";

/** Makes the content of a damaged path once more: builds it, or fetches it. It has to make the path valid itself. */
export type Remake = (info: PathInfo) => Effect.Effect<unknown, unknown>;

/** How to verify a store. */
export interface VerificationOptions {
  /** Mend what is wrong. */
  readonly repair?: boolean;
  /** How damaged paths are made again; without it they only become invalid, so that the next build makes them. */
  readonly remake?: Remake;
}

/** What is wrong with a store, and what became of it. */
export interface Verification {
  readonly problems: readonly StoreProblem[];
  /** Valid paths that were looked at. */
  readonly checked: number;
  /** Valid again. */
  readonly repaired: readonly StorePath[];
  /** Not valid any more: damaged, or in need of something that is. The next build makes them again. */
  readonly invalidated: readonly StorePath[];
}

/** Deletes what nothing needs. Processes that start to use paths meanwhile wait, but not for the deletion itself. */
export function collectGarbage(
  registry: Registry,
  locks: FileLocks,
  options: CollectionOptions,
): Effect.Effect<Collection, StoreError> {
  const { fs, layout } = registry;
  return Effect.gen(function* () {
    const collecting = attempt("collect garbage in", layout.root, async (signal) => {
      if (options.dryRun !== true) {
        await removeLeftovers(fs, layout, signal);
        await locks.files.removeDead();
      }
      return collect(fs, layout, options, signal);
    });
    // To look only disturbs nobody, and is possible where no lock can be written.
    const { trash, ...collection } = yield* options.dryRun === true
      ? collecting
      : locks.withLock(collectionLock, collecting);
    for (const path of options.dryRun === true ? [] : collection.deleted) registry.reader.forget(path);
    if (trash !== undefined) yield* attempt("delete", trash, (signal) => deleteTree(fs, trash, signal));
    return collection;
  });
}

/** Looks at every path, and mends what is wrong if asked to. */
export const verifyStore = Effect.fnUntraced(function* (
  registry: Registry,
  locks: FileLocks,
  options: VerificationOptions,
): Effect.fn.Return<Verification, StoreError> {
  const { fs, layout } = registry;
  const { survey, problems } = yield* attempt("verify", layout.root, (signal) => findProblems(registry, signal));
  const checked = survey.valid.size;
  if (options.repair !== true || problems.length === 0) return { problems, checked, repaired: [], invalidated: [] };

  const repaired = new Set<StorePath>();
  const damaged = new Map<StorePath, PathInfo>();
  for (const problem of problems) {
    if (problem.kind === "damaged-info" || problem.kind === "damaged-realisation") {
      yield* attempt("delete", problem.file, () => removeIfThere(fs, problem.file));
    } else if (problem.kind === "modified" || problem.kind === "missing" || problem.kind === "unreadable") {
      const info = survey.valid.get(problem.path)?.info;
      if (info !== undefined) damaged.set(problem.path, info);
    }
  }
  for (const problem of problems) {
    if (problem.kind !== "unregistered") continue;
    const path = `${storeDirectory}/${problem.name}` as StorePath;
    const info = yield* locks.withLock(
      problem.name,
      attempt("examine", path, async () => {
        // A process may have registered it since.
        const found = (await registry.reader.info(path)) ?? (await recoverInfo(fs, layout, survey, problem.name));
        if (found !== undefined) await registry.register(found);
        return found;
      }),
    );
    if (info !== undefined) repaired.add(path);
  }

  for (const path of damaged.keys()) {
    yield* locks.withLock(
      baseName(path),
      attempt("remove", path, () => registry.remove(path)),
    );
  }
  const { remake } = options;
  // One may need another one to be made: as long as something comes back, the rest is tried again.
  for (let progress = remake !== undefined; progress; ) {
    progress = false;
    for (const [path, info] of damaged) {
      if (repaired.has(path) || remake === undefined) continue;
      yield* Effect.ignore(remake(info));
      if ((yield* attempt("read the info of", path, () => registry.reader.info(path))) === undefined) continue;
      repaired.add(path);
      progress = true;
    }
  }
  const valid = new Set([...survey.valid.keys(), ...repaired]);
  const invalidated = yield* attempt("verify", layout.root, () => invalidateDependents(registry, valid));
  for (const path of invalidated) repaired.delete(path);
  for (const path of damaged.keys()) if (!repaired.has(path)) invalidated.add(path);
  return { problems, checked, repaired: [...repaired].sort(), invalidated: [...invalidated].sort() };
});

/**
 * Makes invalid what needs something that is not valid, until everything valid is whole. The trees
 * stay: they are good, and are registered again by the build or the repair that brings back what they need.
 */
async function invalidateDependents(registry: Registry, paths: Iterable<StorePath>): Promise<Set<StorePath>> {
  const dependents = new Map<StorePath, StorePath[]>();
  const broken: StorePath[] = [];
  for (const path of paths) {
    const info = await registry.reader.info(path);
    if (info === undefined) {
      broken.push(path);
      continue;
    }
    for (const reference of info.references) {
      const known = dependents.get(reference);
      if (known !== undefined) known.push(path);
      else {
        dependents.set(reference, [path]);
        if ((await registry.reader.info(reference)) === undefined) broken.push(reference);
      }
    }
  }
  const invalidated = new Set<StorePath>();
  // Iterating an array also reaches what is pushed meanwhile.
  for (const path of broken) {
    for (const dependent of dependents.get(path) ?? []) {
      if (invalidated.has(dependent)) continue;
      invalidated.add(dependent);
      await registry.invalidate(dependent);
      broken.push(dependent);
    }
  }
  return invalidated;
}
