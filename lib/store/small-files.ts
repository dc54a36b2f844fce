import { errorCode } from "#lib/platform/file-errors.ts";
import type { TreeFiles } from "./tree-files.ts";

/** What tells a file from one that was put in its place. */
export interface FileVersion {
  readonly ino: number;
  readonly mtimeMs: number;
}

/** A small file and when it was written. */
export interface SmallFile extends FileVersion {
  readonly text: string;
}

/** Reads a small file in one step; undefined if there is none. For loops over many, between `Slices`. */
export function readSmallFile(fs: TreeFiles, path: string): SmallFile | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, "r");
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
  try {
    const { size, mtimeMs, ino } = fs.fstatSync(descriptor);
    const bytes = Buffer.allocUnsafe(size);
    let used = 0;
    while (used < size) {
      const count = fs.readSync(descriptor, bytes, used, size - used, null);
      if (count === 0) break;
      used += count;
    }
    return { text: bytes.toString("utf8", 0, used), mtimeMs, ino };
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Deletes a file, unless it was replaced since it was read: it is taken away first, to where nobody else writes, and
 * looked at there. What turns out to be new gets its place back, if that was not filled once more.
 *
 * @param aside a free name on the same file system
 */
export function removeUnlessReplaced(fs: TreeFiles, path: string, read: FileVersion, aside: string): void {
  try {
    fs.renameSync(path, aside);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return;
    throw cause;
  }
  const { ino, mtimeMs } = fs.lstatSync(aside);
  try {
    if (ino !== read.ino || mtimeMs !== read.mtimeMs) fs.linkSync(aside, path);
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw cause;
  } finally {
    fs.unlinkSync(aside);
  }
}
