import type * as nodeFs from "node:fs";
import type { FileSystemShape } from "#lib/platform/file-system.ts";

/**
 * The synchronous calls of small steps: walking a tree, reading and replacing the store's own small files.
 *
 * Hashing ten thousand small files takes 0.7 s of CPU through promises and 0.06 s
 * through these, because a promise costs ten times what the system call costs.
 * So small steps are taken synchronously, in slices of some milliseconds
 * (`Slices`) between which everything else runs; large files are read and
 * written by promises, and nobody waits for a disk (`fsync`) but by a callback.
 */
export type TreeFiles = Pick<
  typeof nodeFs,
  | "chmodSync"
  | "closeSync"
  | "fchmodSync"
  | "fstatSync"
  | "fsync"
  | "futimesSync"
  | "linkSync"
  | "lstatSync"
  | "lutimesSync"
  | "mkdirSync"
  | "openSync"
  | "readSync"
  | "readdirSync"
  | "readlinkSync"
  | "renameSync"
  | "rmdirSync"
  | "symlinkSync"
  | "unlinkSync"
  | "writeFileSync"
  | "writeSync"
>;

/** Both `node:fs` and memfs have the synchronous calls beside the promises. */
export function treeFiles(fs: FileSystemShape): FileSystemShape & TreeFiles {
  if (!("lstatSync" in fs)) throw new TypeError("the file system has no synchronous calls");
  return fs as FileSystemShape & TreeFiles;
}

/** How long a loop of synchronous calls may keep other work waiting, in nanoseconds. */
const sliceLength = 5_000_000n;

/** A clock that only goes forward; `performance.now` would load all of `node:perf_hooks`. */
const now = (): bigint => process.hrtime.bigint();

/** Lets a loop of synchronous steps give way to other work from time to time. */
export class Slices {
  readonly #signal: AbortSignal | undefined;
  #end = now() + sliceLength;
  #step = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** A promise to wait for when the slice is over. Throws when the work was cancelled. */
  next(): Promise<void> | undefined {
    // Asking for the time at each step would cost more than some of the steps.
    if ((++this.#step & 7) !== 0 || now() < this.#end) return undefined;
    return this.pause();
  }

  async pause(): Promise<void> {
    await new Promise<void>((resume) => setImmediate(resume));
    this.#signal?.throwIfAborted();
    this.#end = now() + sliceLength;
  }
}

/**
 * A path as bytes, one per character: file names need not be UTF-8, and the order of a NAR is that of bytes.
 */
export type BytePath = string;

/** The bytes of a path. */
export function bytePath(path: string): BytePath {
  return isAscii(path) ? path : Buffer.from(path, "utf8").toString("latin1");
}

/** The path in a form that file system calls take. */
export function hostPath(path: BytePath): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, "latin1");
}

/** The path for messages. */
export function printablePath(path: BytePath): string {
  return isAscii(path) ? path : Buffer.from(path, "latin1").toString("utf8");
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the range is all of ASCII
  return /^[\0-\x7f]*$/.test(text);
}
