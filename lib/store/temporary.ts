import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { uniqueName } from "./atomic-file.ts";
import type { Layout } from "./layout.ts";
import { isRunning, parseIdentity } from "./process-identity.ts";
import { deleteTree } from "./tree.ts";
import { treeFiles } from "./tree-files.ts";

/** Makes an empty directory whose name tells whose it is. */
export async function makeTemporaryDirectory(fs: FileSystemShape, layout: Layout): Promise<string> {
  const directory = `${layout.temporary}/${await uniqueName()}`;
  treeFiles(fs).mkdirSync(directory, 0o700);
  return directory;
}

/**
 * Deletes what processes that do not run any more left behind: temporary files,
 * lists of used paths. (A lock is broken by who wants it.) What cannot be deleted stays for the next time.
 *
 * @returns how many leftovers were removed
 */
export async function removeLeftovers(fs: FileSystemShape, layout: Layout, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  for (const directory of [layout.temporary, layout.users]) {
    for (const name of await fs.promises.readdir(directory)) {
      signal?.throwIfAborted();
      if (!(await isLeftover(name))) continue;
      await deleteTree(fs, `${directory}/${name}`, signal).catch(ignoreRefusal);
      removed += 1;
    }
  }
  return removed;
}

async function isLeftover(name: string): Promise<boolean> {
  const owner = parseIdentity(name.replace(/^\./, ""));
  return owner !== undefined && !(await isRunning(owner));
}

function ignoreRefusal(cause: unknown): void {
  if (!["EACCES", "EPERM", "EROFS"].includes(errorCode(cause) ?? "")) throw cause;
}
