import { errorCode } from "#lib/platform/file-errors.ts";
import type { TreeFiles } from "./tree-files.ts";

/** A small file and when it was written. */
export interface SmallFile {
  readonly text: string;
  readonly mtimeMs: number;
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
    const { size, mtimeMs } = fs.fstatSync(descriptor);
    const bytes = Buffer.allocUnsafe(size);
    let used = 0;
    while (used < size) {
      const count = fs.readSync(descriptor, bytes, used, size - used, null);
      if (count === 0) break;
      used += count;
    }
    return { text: bytes.toString("utf8", 0, used), mtimeMs };
  } finally {
    fs.closeSync(descriptor);
  }
}
