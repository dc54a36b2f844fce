import { baseName, isStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { removeIfThere } from "./atomic-file.ts";
import { type BuildRemains, countRemains, discardRemains, findRemains } from "./build-remains.ts";
import { infoFile, type Layout } from "./layout.ts";
import { listRoots } from "./roots.ts";
import { removeUnlessReplaced } from "./small-files.ts";
import { type Survey, surveyRealisations, surveyStore, usedPaths, withdrawnNames } from "./survey.ts";
import { makeTemporaryDirectory } from "./temporary.ts";
import { Slices, treeFiles } from "./tree-files.ts";

/** What garbage collection may delete. */
export interface CollectionOptions {
  /** Only find out what would be deleted. */
  readonly dryRun?: boolean;
  /** Keep what was added after this moment (milliseconds since the epoch), and what that needs. */
  readonly addedBefore?: number;
  /** Stop when so many bytes are freed; the oldest goes first. */
  readonly enoughBytes?: number;
  /** Keep these too. */
  readonly keep?: Iterable<StorePath>;
}

/** What garbage collection deleted, or would delete. */
export interface Collection {
  /** Dependents before what they depend on. */
  readonly deleted: readonly StorePath[];
  /** Sum of the sizes of the archives of `deleted`. */
  readonly freedBytes: number;
  /** Names in the store directory that were no valid paths. */
  readonly leftovers: readonly string[];
  /** Paths that stay. */
  readonly kept: number;
  /** What builds of derivations that are gone left beside store paths. */
  readonly remains: BuildRemains;
}

/** Where the trees of collected paths were moved to, for deletion at leisure. */
export interface Collected extends Collection {
  readonly trash: string | undefined;
}

/**
 * Makes invalid what no root, no running process and nothing kept needs, and
 * moves it out of the store directory. The caller holds the collection lock.
 *
 * A path loses its info file before its tree, and dependents go first: so
 * wherever this is killed, what is valid has everything it needs.
 */
export async function collect(
  fs: FileSystemShape,
  layout: Layout,
  options: CollectionOptions,
  signal?: AbortSignal,
): Promise<Collected> {
  const dryRun = options.dryRun ?? false;
  const roots = new Set<StorePath>(options.keep ?? []);
  // Who ends between the two has made its roots; the other way round they would be seen by neither.
  for (const path of await usedPaths(fs, layout)) roots.add(path);
  for (const { target } of await listRoots(fs, layout, !dryRun)) roots.add(target);
  const survey = await surveyStore(fs, layout, signal);
  if (options.addedBefore !== undefined) {
    for (const [path, { registeredMs }] of survey.valid) if (registeredMs >= options.addedBefore) roots.add(path);
  }
  const live = reachable(survey, roots);
  const { deleted, freedBytes } = choose(survey, live, options.enoughBytes ?? Infinity);
  const leftovers = [...survey.objects].filter((name) => isLeftover(name, survey, live)).sort();
  const gone = new Set(deleted);
  // What is being made again has no info that can be read now, but may have one in a moment.
  const damagedInfos = survey.damagedInfos.filter((name) => !live.has(pathOfInfo(name)));
  const withdrawn = await needlessRecords(fs, layout, survey, live);
  const stays = (path: StorePath): boolean => live.has(path) || (survey.valid.has(path) && !gone.has(path));
  const remains = await findRemains(fs, layout, stays, { ...options, signal });
  const result = { deleted, freedBytes, leftovers, kept: survey.valid.size - deleted.length, remains };
  const nothing =
    deleted.length + leftovers.length + damagedInfos.length + withdrawn.length + countRemains(remains) === 0;
  if (dryRun || nothing) return { ...result, trash: undefined };

  const trash = await makeTemporaryDirectory(fs, layout);
  await removeRealisations(fs, layout, gone, trash, signal);
  for (const name of damagedInfos) await removeIfThere(fs, `${layout.info}/${name}`);
  for (const name of withdrawn) await removeIfThere(fs, `${layout.withdrawn}/${name}`);
  await discard(fs, layout, trash, deleted, leftovers, signal);
  await discardRemains(fs, layout, remains, trash);
  return { ...result, trash };
}

/** The path that an info file of this name is about. */
const pathOfInfo = (name: string): StorePath => `${storeDirectory}/${name.replace(/\.json$/, "")}` as StorePath;

/** The names of what is known of invalid paths that came back, or that nothing needs any more. */
async function needlessRecords(
  fs: FileSystemShape,
  layout: Layout,
  survey: Survey,
  live: ReadonlySet<StorePath>,
): Promise<string[]> {
  const names = await withdrawnNames(fs, layout);
  return names.filter((name) => survey.valid.has(pathOfInfo(name)) || !live.has(pathOfInfo(name)));
}

/**
 * Everything that the roots need: what they refer to, and the derivations that they were built by. What is to be made
 * again needs the same as what it was.
 */
function reachable(survey: Survey, roots: Iterable<StorePath>): Set<StorePath> {
  const live = new Set(roots);
  // A set may grow while it is iterated: new members come last.
  for (const path of live) {
    const info = survey.valid.get(path)?.info ?? survey.withdrawn.get(path);
    if (info === undefined) continue;
    for (const reference of info.references) live.add(reference);
    if (info.deriver !== undefined) live.add(info.deriver);
  }
  return live;
}

/** What is not valid and nobody is about to make valid. */
function isLeftover(name: string, survey: Survey, live: ReadonlySet<StorePath>): boolean {
  const path = `${storeDirectory}/${name}`;
  return !isStorePath(path) || !(survey.valid.has(path) || live.has(path));
}

/** Orders what is dead so that dependents come first and older ones before younger ones, as far as that allows. */
function choose(
  survey: Survey,
  live: ReadonlySet<StorePath>,
  enough: number,
): { readonly deleted: readonly StorePath[]; readonly freedBytes: number } {
  const dependents = new Map<StorePath, number>();
  for (const path of survey.valid.keys()) if (!live.has(path)) dependents.set(path, 0);
  for (const path of dependents.keys()) {
    for (const reference of survey.valid.get(path)?.info.references ?? []) {
      const count = dependents.get(reference);
      if (count !== undefined) dependents.set(reference, count + 1);
    }
  }
  const age = (path: StorePath): number => survey.valid.get(path)?.registeredMs ?? 0;
  const free = [...dependents.keys()]
    .filter((path) => dependents.get(path) === 0)
    .sort((left, right) => age(left) - age(right) || (left < right ? -1 : 1));
  const deleted: StorePath[] = [];
  let freedBytes = 0;
  for (const path of free) {
    if (freedBytes >= enough) break;
    const info = survey.valid.get(path)?.info;
    if (info === undefined) continue;
    deleted.push(path);
    freedBytes += info.narSize;
    for (const reference of info.references) {
      const count = dependents.get(reference);
      if (count === undefined) continue;
      dependents.set(reference, count - 1);
      // Iterating an array also reaches what is pushed meanwhile.
      if (count === 1) free.push(reference);
    }
  }
  return { deleted, freedBytes };
}

/**
 * Removes the realisations of what is deleted, and damaged ones. A build that began to use its paths before this
 * collection does not wait for it, and may write the realisation of what it made at the same moment.
 */
async function removeRealisations(
  fs: FileSystemShape,
  layout: Layout,
  deleted: ReadonlySet<StorePath>,
  trash: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = treeFiles(fs);
  for await (const { file, version, realisation } of surveyRealisations(fs, layout, signal)) {
    if (realisation === undefined || deleted.has(realisation.path))
      removeUnlessReplaced(files, file, version, `${trash}/realisation`);
  }
}

/** Takes paths out of the store in the given order. */
async function discard(
  fs: FileSystemShape,
  layout: Layout,
  trash: string,
  deleted: readonly StorePath[],
  leftovers: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = treeFiles(fs);
  const slices = new Slices(signal);
  const remove = (name: string): void => {
    const place = `${layout.objects}/${name}`;
    try {
      // Most paths are single files (derivations, texts): they need no place to be deleted at leisure.
      files.unlinkSync(place);
      return;
    } catch (cause) {
      if (errorCode(cause) === "ENOENT") return;
      if (errorCode(cause) !== "EISDIR" && errorCode(cause) !== "EPERM") throw cause;
    }
    // A directory that one may not write cannot be moved.
    files.chmodSync(place, 0o700);
    files.renameSync(place, `${trash}/${name}`);
  };
  for (const path of deleted) {
    const pause = slices.next();
    if (pause !== undefined) await pause;
    try {
      files.unlinkSync(infoFile(layout, path));
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
    }
    remove(baseName(path));
  }
  for (const name of leftovers) remove(name);
}
