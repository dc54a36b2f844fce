import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { baseName, type StorePath } from "#lib/derivations/store-path.ts";
import { removeIfThere, uniqueName } from "./atomic-file.ts";
import type { LockFiles } from "./lock-files.ts";
import { type TreeFiles, treeFiles } from "./tree-files.ts";

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
}

/** The lock that garbage collection holds from before it reads who uses what until it has deleted. */
export const collectionLock = "gc";

/**
 * The paths that this process relies on, in a file that garbage collection reads.
 *
 * A path is written down first and looked for afterwards, and in between nobody
 * collects: either the collection saw the line, or this process sees what is left.
 */
export class Usage {
  readonly #fs: FileSystemShape & TreeFiles;
  readonly #directory: string;
  readonly #locks: LockFiles;
  readonly #used = new Set<StorePath>();
  #file: Promise<OpenFile> | undefined;
  /** Paths to be written by the next batch, and that batch. */
  #waiting: StorePath[] = [];
  #batch: Promise<void> | undefined;

  constructor(fs: FileSystemShape, directory: string, locks: LockFiles) {
    this.#fs = treeFiles(fs);
    this.#directory = directory;
    this.#locks = locks;
  }

  /** Keeps paths, valid or not yet, from being collected as long as this process runs. */
  async protect(paths: Iterable<StorePath>): Promise<void> {
    const wanted = [...paths];
    let fresh = false;
    for (const path of wanted) {
      if (this.#used.has(path)) continue;
      this.#used.add(path);
      this.#waiting.push(path);
      fresh = true;
    }
    if (fresh) {
      // One batch that fails does not take those along that come after it.
      const batch = (this.#batch ?? Promise.resolve()).catch(() => {}).then(() => this.#write());
      this.#batch = batch;
      // Those who wait for it see what it failed with; who asks later begins anew.
      batch.catch(() => {
        if (this.#batch === batch) this.#batch = undefined;
      });
    }
    // Also for a path that another fiber wrote down: it may not have arrived yet.
    await this.#batch;
    // The batch of that other fiber may have failed before ours: then it is for us to write it down.
    if (wanted.some((path) => !this.#used.has(path))) await this.protect(wanted);
  }

  /** Forgets everything. */
  async close(): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    this.#file = undefined;
    if (file === undefined) return;
    this.#fs.closeSync(file.descriptor);
    await removeIfThere(this.#fs, file.path).catch(() => {});
  }

  /** Kept open: lines come one by one, often two for each build. */
  async #open(): Promise<OpenFile> {
    try {
      const path = `${this.#directory}/${await uniqueName()}`;
      return { path, descriptor: this.#fs.openSync(path, "a") };
    } catch (cause) {
      // What failed now (a full disk) may work the next time.
      this.#file = undefined;
      throw cause;
    }
  }

  async #write(): Promise<void> {
    const paths = this.#waiting;
    if (paths.length === 0) return;
    this.#waiting = [];
    try {
      const { descriptor } = await (this.#file ??= this.#open());
      // The new line first: a full disk may have cut the last one off.
      const lines = Buffer.from(paths.map((path) => `\n${baseName(path)}`).join("") + "\n");
      for (let written = 0; written < lines.length; ) {
        written += this.#fs.writeSync(descriptor, lines, written, lines.length - written);
      }
    } catch (cause) {
      // Where this process may not write, no collection deletes either, or it is the business of the store's owner.
      if (errorCode(cause) === "EROFS" || errorCode(cause) === "EACCES") return;
      for (const path of paths) this.#used.delete(path);
      throw cause;
    }
    for (let delay = 10; await this.#locks.isHeld(collectionLock); delay = Math.min(delay * 2, 200)) {
      await new Promise((resume) => setTimeout(resume, delay));
    }
  }
}
