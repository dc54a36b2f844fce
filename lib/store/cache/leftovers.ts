import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { modificationTime, removeIfThere, uniqueName } from "../atomic-file.ts";
import { LockFiles } from "../lock-files.ts";
import { parseIdentity } from "../process-identity.ts";

/** A file that is written has a name of its own until it is complete: no name of a cache begins with a dot. */
export const draftName = async (): Promise<string> => `.${await uniqueName()}`;

/** Whoever still writes a draft writes to it far more often than this, in milliseconds, and a lock is held for a moment. */
const abandonedAfter = 24 * 3_600_000;

/** Where a cache has files. */
const directories = ["", "/nar", "/realisations"];

/**
 * Deletes the drafts and locks of processes that were killed while they filled a cache. Whether those still run does not
 * count, only age: a cache may lie on a file system that several machines, or containers, write to, and their processes
 * cannot be seen from here. What names no process was put there by somebody else, and stays.
 */
export async function removeLeftovers(fs: FileSystemShape, cache: string): Promise<void> {
  const before = Date.now() - abandonedAfter;
  for (const suffix of directories) {
    const directory = cache + suffix;
    const names = await filesIn(fs, directory);
    for (const name of names) {
      if (!isOfProcess(name)) continue;
      const written = modificationTime(fs, `${directory}/${name}`);
      if (written !== undefined && written < before) await removeIfThere(fs, `${directory}/${name}`);
    }
    if (!names.some((name) => name.endsWith(".lock"))) continue;
    const locks = new LockFiles(fs, directory, directory);
    await locks.removeOlder(before).finally(() => locks.close());
  }
}

/** Drafts, and the files by which locks are made and broken. */
const isOfProcess = (name: string): boolean => parseIdentity(name.replace(/^\./, "")) !== undefined;

async function filesIn(fs: FileSystemShape, directory: string): Promise<string[]> {
  try {
    const entries = await fs.promises.readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return [];
    throw cause;
  }
}
