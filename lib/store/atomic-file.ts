import type { FileHandle } from "node:fs/promises";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { ownIdentity, printIdentity } from "./process-identity.ts";
import { treeFiles } from "./tree-files.ts";

let counter = 0;

/** A file name that no other process and no other call has. It tells whose it is, so that leftovers are known. */
export async function uniqueName(): Promise<string> {
  const number = ++counter;
  return `${printIdentity(await ownIdentity())}.${number}`;
}

/** Writes a file so that others see all of it or nothing, also after a power failure. */
export async function writeAtomically(
  fs: FileSystemShape,
  temporary: string,
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const draft = `${temporary}/${await uniqueName()}`;
  try {
    const handle = await fs.promises.open(draft, "wx", mode);
    try {
      await writeInto(fs, handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.promises.rename(draft, path);
  } catch (cause) {
    await removeIfThere(fs, draft);
    throw cause;
  }
}

/** Up to here the kernel copies a content in less time than it takes to hand the work to another thread. */
const smallContent = 64 * 1024;

/** Writes the whole content of a file that was just made; waiting for the disk is the caller's `sync`. */
export async function writeInto(fs: FileSystemShape, handle: FileHandle, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (bytes.length > smallContent) return handle.writeFile(bytes);
  const files = treeFiles(fs);
  for (let written = 0; written < bytes.length; ) {
    written += files.writeSync(handle.fd, bytes, written, bytes.length - written);
  }
}

/** Deletes a file; nothing happens if there is none. */
export async function removeIfThere(fs: FileSystemShape, path: string): Promise<void> {
  try {
    await fs.promises.unlink(path);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
  }
}

/** The content of a file; undefined if there is none. */
export async function readIfThere(fs: FileSystemShape, path: string): Promise<string | undefined> {
  try {
    return await fs.promises.readFile(path, "utf8");
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

/** Whether there is a file, directory or link. */
export async function exists(fs: FileSystemShape, path: string): Promise<boolean> {
  try {
    await fs.promises.lstat(path);
    return true;
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return false;
    throw cause;
  }
}
