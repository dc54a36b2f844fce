import { type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { modificationTime, removeIfThere } from "./atomic-file.ts";
import type { Layout } from "./layout.ts";
import { Slices, treeFiles } from "./tree-files.ts";

/** What builds left beside store paths: names of files and directories, sorted. */
export interface BuildRemains {
  /** Logs of derivations. */
  readonly logs: readonly string[];
  /** Directories that `--keep-failed` kept. */
  readonly failures: readonly string[];
  /** Downloads that were begun, and that nobody goes on with. */
  readonly downloads: readonly string[];
}

/** Whoever goes on with a download touches it, and writes to it far more often than this, in milliseconds. */
const abandonedAfter = 3_600_000;

/**
 * The logs and kept failures of derivations that are not in the store, or will not be any more, and abandoned
 * downloads. Younger ones than `addedBefore` stay, as paths do.
 *
 * @param stays whether a path will still be there
 */
export async function findRemains(
  fs: FileSystemShape,
  layout: Layout,
  stays: (derivation: StorePath) => boolean,
  { addedBefore = Infinity, signal }: { readonly addedBefore?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<BuildRemains> {
  const files = treeFiles(fs);
  const slices = new Slices(signal);
  const find = async (directory: string, before: number, isDead: (name: string) => boolean): Promise<string[]> => {
    const found: string[] = [];
    for (const name of await fs.promises.readdir(directory)) {
      const pause = slices.next();
      if (pause !== undefined) await pause;
      if (!isDead(name)) continue;
      const stats = files.lstatSync(`${directory}/${name}`, { throwIfNoEntry: false });
      if (stats !== undefined && stats.mtimeMs < before) found.push(name);
    }
    return found.sort();
  };
  const isGone = (derivation: string): boolean => !stays(`${storeDirectory}/${derivation}` as StorePath);
  return {
    // Boot tests have a directory of their own among the logs.
    logs: await find(layout.logs, addedBefore, (name) => name.endsWith(".drv.log") && isGone(name.slice(0, -4))),
    failures: await find(layout.failures, addedBefore, (name) => isGone(`${name}.drv`)),
    downloads: await find(layout.partial, Math.min(addedBefore, Date.now() - abandonedAfter), () => true),
  };
}

/** Deletes remains; directories are only moved to `trash`. */
export async function discardRemains(
  fs: FileSystemShape,
  layout: Layout,
  { logs, failures, downloads }: BuildRemains,
  trash: string,
): Promise<void> {
  for (const name of logs) await removeIfThere(fs, `${layout.logs}/${name}`);
  for (const name of downloads) {
    // Since it was found, all the rest was deleted: somebody may go on with it by now.
    const written = modificationTime(fs, `${layout.partial}/${name}`);
    if (written === undefined || written >= Date.now() - abandonedAfter) continue;
    await removeIfThere(fs, `${layout.partial}/${name}`);
  }
  for (const name of failures) {
    const directory = `${layout.failures}/${name}`;
    try {
      // A directory that one may not write cannot be moved.
      await fs.promises.chmod(directory, 0o700);
      await fs.promises.rename(directory, `${trash}/failure-${name}`);
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
    }
  }
}

/** How many there are. */
export const countRemains = ({ logs, failures, downloads }: BuildRemains): number =>
  logs.length + failures.length + downloads.length;
