import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { baseName, type StorePath } from "#lib/derivations/store-path.ts";
import { removeIfThere, uniqueName } from "./atomic-file.ts";
import type { LockFiles } from "./lock-files.ts";

/** The lock that garbage collection holds from before it reads who uses what until it has deleted. */
export const collectionLock = "gc";

/**
 * The paths that this process relies on, in a file that garbage collection reads.
 *
 * A path is written down first and looked for afterwards, and in between nobody
 * collects: either the collection saw the line, or this process sees what is left.
 */
export class Usage {
  readonly #fs: FileSystemShape;
  readonly #directory: string;
  readonly #locks: LockFiles;
  readonly #used = new Set<StorePath>();
  #file: Promise<string> | undefined;
  /** Paths to be written by the next batch, and that batch. */
  #waiting: StorePath[] = [];
  #batch: Promise<void> | undefined;

  constructor(fs: FileSystemShape, directory: string, locks: LockFiles) {
    this.#fs = fs;
    this.#directory = directory;
    this.#locks = locks;
  }

  /** Keeps paths, valid or not yet, from being collected as long as this process runs. */
  async protect(paths: Iterable<StorePath>): Promise<void> {
    let fresh = false;
    for (const path of paths) {
      if (this.#used.has(path)) continue;
      this.#used.add(path);
      this.#waiting.push(path);
      fresh = true;
    }
    if (fresh) {
      const before = this.#batch ?? Promise.resolve();
      this.#batch = before.then(() => this.#write());
    }
    // Also for a path that another fiber wrote down: it may not have arrived yet.
    await this.#batch;
  }

  /** Forgets everything. */
  async close(): Promise<void> {
    if (this.#file !== undefined) await removeIfThere(this.#fs, await this.#file).catch(() => {});
  }

  async #write(): Promise<void> {
    const paths = this.#waiting;
    if (paths.length === 0) return;
    this.#waiting = [];
    try {
      this.#file ??= uniqueName().then((name) => `${this.#directory}/${name}`);
      await this.#fs.promises.appendFile(await this.#file, paths.map((path) => `${baseName(path)}\n`).join(""));
    } catch (cause) {
      // Where this process may not write, no collection deletes either, or it is the business of the store's owner.
      if (errorCode(cause) === "EROFS" || errorCode(cause) === "EACCES") return;
      this.#batch = undefined;
      for (const path of paths) this.#used.delete(path);
      throw cause;
    }
    for (let delay = 10; await this.#locks.isHeld(collectionLock); delay = Math.min(delay * 2, 200)) {
      await new Promise((resume) => setTimeout(resume, delay));
    }
  }
}
