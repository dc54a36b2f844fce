import * as Effect from "effect/Effect";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { attempt } from "./attempt.ts";
import { type Collection, type CollectionOptions, collect } from "./collection.ts";
import type { StoreError } from "./errors.ts";
import type { FileLocks } from "./file-lock.ts";
import type { Registry } from "./registry.ts";
import { type Remake, type RemakeFailure, repairStore } from "./repair.ts";
import { removeLeftovers } from "./temporary.ts";
import { deleteTree } from "./tree.ts";
import { collectionLock } from "./usage.ts";
import { findProblems, type StoreProblem } from "./verification.ts";

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
  /** Why paths could not be made again, each reason once. */
  readonly failures: readonly RemakeFailure[];
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
  const { layout } = registry;
  const { survey, problems } = yield* attempt("verify", layout.root, (signal) => findProblems(registry, signal));
  const checked = survey.valid.size;
  if (options.repair !== true || (problems.length === 0 && survey.withdrawn.size === 0)) {
    return { problems, checked, repaired: [], invalidated: [], failures: [] };
  }
  return { problems, checked, ...(yield* repairStore(registry, locks, { survey, problems }, options.remake)) };
});
