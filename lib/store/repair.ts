import * as Effect from "effect/Effect";
import { baseName, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { removeIfThere, uniqueName } from "./atomic-file.ts";
import { attempt } from "./attempt.ts";
import type { StoreError } from "./errors.ts";
import type { FileLocks } from "./file-lock.ts";
import { physicalPath, withdrawnFile } from "./layout.ts";
import { parsePathInfo, type PathInfo } from "./path-info.ts";
import { parseRealisation } from "./realisation.ts";
import type { Registry } from "./registry.ts";
import { readSmallFile, removeUnlessReplaced } from "./small-files.ts";
import type { Survey } from "./survey.ts";
import { seal } from "./tree.ts";
import { treeFiles } from "./tree-files.ts";
import { recoverInfo, type StoreProblem } from "./verification.ts";

/** Makes the content of a damaged path once more: builds it, or fetches it. It has to make the path valid itself. */
export type Remake = (info: PathInfo) => Effect.Effect<unknown, unknown>;

/** Why paths could not be made again: one failed build may be to blame for several. */
export interface RemakeFailure {
  /** Sorted. */
  readonly paths: readonly StorePath[];
  /** What `Remake` failed with. */
  readonly cause: unknown;
}

/** What became of a store's problems. */
export interface Repair {
  readonly repaired: readonly StorePath[];
  readonly invalidated: readonly StorePath[];
  readonly failures: readonly RemakeFailure[];
}

/**
 * Mends a store.
 *
 * What is known of a damaged path stays until the mended one replaces it. So wherever this is killed, the next repair
 * finds the same problems, less those that were solved, and knows as much about them. What cannot be made again is
 * withdrawn in the end, with what needs it; how all that was made is kept for the next repair.
 */
export const repairStore = Effect.fnUntraced(function* (
  registry: Registry,
  locks: FileLocks,
  { survey, problems }: { readonly survey: Survey; readonly problems: readonly StoreProblem[] },
  remake: Remake | undefined,
): Effect.fn.Return<Repair, StoreError> {
  const { fs, layout, reader } = registry;
  const isValid = (path: StorePath): Effect.Effect<boolean, StoreError> =>
    attempt("read the info of", path, async () => (await reader.info(path)) !== undefined);
  const repaired = new Set<StorePath>();
  const damaged = new Map<StorePath, PathInfo>();
  for (const problem of problems) {
    if (problem.kind !== "modified" && problem.kind !== "missing" && problem.kind !== "unreadable") continue;
    const registered = survey.valid.get(problem.path);
    if (registered === undefined) continue;
    damaged.set(problem.path, registered.info);
    reader.suspect(problem.path, registered.registeredMs);
  }
  for (const problem of problems) {
    if (problem.kind !== "unregistered") continue;
    const path = `${storeDirectory}/${problem.name}` as StorePath;
    if (
      yield* locks.withLock(
        problem.name,
        attempt("examine", path, () => recover(registry, survey, path)),
      )
    ) {
      repaired.add(path);
    }
  }
  for (const problem of problems) {
    if (problem.kind !== "damaged-info" && problem.kind !== "damaged-realisation") continue;
    const parse = problem.kind === "damaged-info" ? parsePathInfo : parseRealisation;
    yield* attempt("delete", problem.file, async () => {
      // It may have been written again since.
      const files = treeFiles(fs);
      const file = readSmallFile(files, problem.file);
      if (file === undefined || parse(file.text) !== undefined) return;
      removeUnlessReplaced(files, problem.file, file, `${layout.temporary}/${await uniqueName()}`);
    });
  }
  for (const [path, info] of survey.withdrawn) {
    if (!damaged.has(path) && !(yield* isValid(path))) damaged.set(path, info);
  }

  const causes = new Map<unknown, StorePath[]>();
  for (const info of yield* attempt("order", layout.info, () => inOrder(registry, damaged))) {
    const { path } = info;
    // It comes along with another output of its derivation, or with what was pulled before.
    if (remake !== undefined && !(yield* isValid(path))) {
      const cause = yield* Effect.match(remake(info), {
        onFailure: (failure) => failure,
        onSuccess: () => "its derivation gives something else now",
      });
      if (!(yield* isValid(path))) causes.set(cause, [...(causes.get(cause) ?? []), path]);
    }
    if (yield* isValid(path)) repaired.add(path);
  }

  for (const path of damaged.keys()) {
    if (repaired.has(path) || !survey.valid.has(path)) continue;
    const removed = attempt("remove", path, async () => {
      // Another process may have mended it.
      if ((await reader.info(path)) === undefined) await registry.remove(path);
    });
    yield* locks.withLock(baseName(path), removed);
  }
  const invalidated = yield* withdrawDependents(registry, locks, new Set([...survey.valid.keys(), ...repaired]));
  for (const path of invalidated) repaired.delete(path);
  for (const path of damaged.keys()) {
    if (yield* isValid(path)) yield* attempt("delete", path, () => removeIfThere(fs, withdrawnFile(layout, path)));
    else invalidated.add(path);
  }
  const failures = [...causes].map(([cause, paths]) => ({ paths: paths.sort(), cause }));
  return { repaired: [...repaired].sort(), invalidated: [...invalidated].sort(), failures };
});

/** Registers what is in the store directory without being valid, if it can be told what it is. */
async function recover(registry: Registry, survey: Survey, path: StorePath): Promise<boolean> {
  // A process may have registered it since.
  if ((await registry.reader.info(path)) !== undefined) return true;
  const info = await recoverInfo(registry.fs, registry.layout, survey, baseName(path));
  if (info === undefined) return false;
  // Whoever put it there was perhaps killed before this.
  seal(registry.fs, physicalPath(registry.layout, path));
  await registry.register(info);
  await removeIfThere(registry.fs, withdrawnFile(registry.layout, path));
  return true;
}

/**
 * Damaged paths in an order in which each comes after what it is made from, as far as that is damaged itself: then each
 * has to be tried only once.
 */
async function inOrder(registry: Registry, damaged: ReadonlyMap<StorePath, PathInfo>): Promise<readonly PathInfo[]> {
  const needs = async ({ references, deriver }: PathInfo): Promise<StorePath[]> => {
    if (deriver === undefined) return [...references];
    // Derivations in the store are resolved: what they refer to is what they are built from.
    const derivation = damaged.get(deriver) ?? (await registry.reader.info(deriver));
    return [...references, deriver, ...(derivation?.references ?? [])];
  };
  const ordered = new Set<PathInfo>();
  const seen = new Set<StorePath>();
  // Without recursion: a chain may be long.
  for (const first of [...damaged.keys()].sort()) {
    const stack = [{ path: first, expanded: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const info = damaged.get(top.path);
      if (info === undefined) continue;
      if (top.expanded) ordered.add(info);
      else if (!seen.has(top.path)) {
        seen.add(top.path);
        stack.push({ path: top.path, expanded: true });
        for (const path of await needs(info)) stack.push({ path, expanded: false });
      }
    }
  }
  return [...ordered];
}

/**
 * Makes invalid what needs something that is not valid, until everything valid is whole. The trees
 * stay: they are good, and are registered again by the build or the repair that brings back what they need.
 */
const withdrawDependents = Effect.fnUntraced(function* (
  registry: Registry,
  locks: FileLocks,
  paths: Iterable<StorePath>,
): Effect.fn.Return<Set<StorePath>, StoreError> {
  const { reader } = registry;
  const { dependents, broken } = yield* attempt("verify", registry.layout.root, () => findBroken(registry, paths));
  const withdrawn = new Set<StorePath>();
  /** Whether a path was valid and is not whole. Others make paths valid meanwhile, each holding the lock of its path. */
  const withdraw = async (path: StorePath): Promise<boolean> => {
    reader.forget(path);
    for (const reference of (await reader.info(path))?.references ?? []) {
      reader.forget(reference);
      if ((await reader.info(reference)) !== undefined) continue;
      await registry.withdraw(path);
      return true;
    }
    return false;
  };
  // Iterating an array also reaches what is pushed meanwhile.
  for (const path of broken) {
    for (const dependent of dependents.get(path) ?? []) {
      if (withdrawn.has(dependent)) continue;
      const invalid = yield* locks.withLock(
        baseName(dependent),
        attempt("withdraw", dependent, () => withdraw(dependent)),
      );
      if (!invalid) continue;
      withdrawn.add(dependent);
      broken.push(dependent);
    }
  }
  return withdrawn;
});

/** What is not valid although paths refer to it, and what refers to what. */
async function findBroken(
  { reader }: Registry,
  paths: Iterable<StorePath>,
): Promise<{ readonly dependents: ReadonlyMap<StorePath, readonly StorePath[]>; readonly broken: StorePath[] }> {
  const dependents = new Map<StorePath, StorePath[]>();
  const broken: StorePath[] = [];
  for (const path of paths) {
    const info = await reader.info(path);
    if (info === undefined) {
      broken.push(path);
      continue;
    }
    for (const reference of info.references) {
      const known = dependents.get(reference);
      if (known !== undefined) known.push(path);
      else {
        dependents.set(reference, [path]);
        if ((await reader.info(reference)) === undefined) broken.push(reference);
      }
    }
  }
  return { dependents, broken };
}
