import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { ownIdentity, printIdentity } from "./process-identity.ts";
import { readSmallFile } from "./small-files.ts";
import { Slices, treeFiles } from "./tree-files.ts";

/** How much is written at once, in bytes: less than a millisecond's worth. */
const largestStep = 1024 * 1024;

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
  await writeNew(fs, draft, content, mode);
  try {
    treeFiles(fs).renameSync(draft, path);
  } catch (cause) {
    await discard(fs, draft);
    throw cause;
  }
}

/** Makes a file with this content and waits until it is on the disk; what fails leaves none. */
export async function writeNew(
  fs: FileSystemShape,
  path: string,
  content: string | Uint8Array,
  mode: number,
  finish: (descriptor: number) => void = () => {},
): Promise<void> {
  const files = treeFiles(fs);
  const slices = new Slices(undefined);
  const descriptor = files.openSync(path, "wx", mode);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let written = 0; written < bytes.length; ) {
      written += files.writeSync(descriptor, bytes, written, Math.min(bytes.length - written, largestStep));
      const pause = slices.next();
      if (pause !== undefined) await pause;
    }
    finish(descriptor);
    await new Promise<void>((resolve, reject) => {
      files.fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
    });
  } catch (cause) {
    await discard(fs, path);
    throw cause;
  } finally {
    files.closeSync(descriptor);
  }
}

/** Deletes what could not be completed; why is more worth knowing than that this fails too. */
const discard = (fs: FileSystemShape, path: string): Promise<void> => removeIfThere(fs, path).catch(() => {});

/** Deletes a file; nothing happens if there is none. */
export async function removeIfThere(fs: FileSystemShape, path: string): Promise<void> {
  try {
    treeFiles(fs).unlinkSync(path);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
  }
}

/** The content of a small file; undefined if there is none. */
export async function readIfThere(fs: FileSystemShape, path: string): Promise<string | undefined> {
  return readSmallFile(treeFiles(fs), path)?.text;
}

/** When a file was written, in milliseconds since the epoch; undefined if there is none. */
export function modificationTime(fs: FileSystemShape, path: string): number | undefined {
  return treeFiles(fs).lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** Whether there is a file, directory or link. */
export async function exists(fs: FileSystemShape, path: string): Promise<boolean> {
  return modificationTime(fs, path) !== undefined;
}
