import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { modificationTime, readIfThere, removeIfThere, uniqueName } from "./atomic-file.ts";
import { isRunning, ownIdentity, parseIdentity, printIdentity } from "./process-identity.ts";
import { treeFiles } from "./tree-files.ts";

const lockSuffix = ".lock";

/** Ends the names of files by which processes say that they remove the locks of dead ones. */
const claimSuffix = ".claim";

/**
 * The files by which processes lock each other out.
 *
 * Node has no `flock`. A lock is a hard link to a file that names its owner, so
 * it appears with its content in one step; when the owner no longer runs, the
 * next process that wants the lock removes it.
 */
export class LockFiles {
  readonly #fs: FileSystemShape;
  readonly #directory: string;
  readonly #temporary: string;
  #identityFile: Promise<string> | undefined;

  constructor(fs: FileSystemShape, directory: string, temporary: string) {
    this.#fs = fs;
    this.#directory = directory;
    this.#temporary = temporary;
  }

  /** Where the lock of this name is. */
  file(name: string): string {
    return `${this.#directory}/${name}${lockSuffix}`;
  }

  /** Tries to take a lock; removes it if its owner is dead. Within a process, nobody else may hold or want it. */
  async take(name: string): Promise<boolean> {
    const path = this.file(name);
    if (await this.#link(path)) return true;
    const owner = await this.#owner(path);
    if (owner.state === "none") return this.#link(path);
    if (owner.state === "running") return false;
    return (await this.#break(path, owner.text)) && (await this.#link(path));
  }

  /** Gives a lock back that this process holds. */
  async release(name: string): Promise<void> {
    await removeIfThere(this.#fs, this.file(name));
  }

  /** Whether a running process has the lock. */
  async isHeld(name: string): Promise<boolean> {
    return (await this.#owner(this.file(name))).state === "running";
  }

  /** Removes the locks of dead processes that nobody has wanted since. */
  async removeDead(): Promise<void> {
    await this.#isContested("");
    for (const name of await this.#fs.promises.readdir(this.#directory)) {
      const path = `${this.#directory}/${name}`;
      if (!name.endsWith(lockSuffix)) continue;
      const owner = await this.#owner(path);
      if (owner.state === "dead") await this.#break(path, owner.text);
    }
  }

  /**
   * Removes the locks that were made before a moment (milliseconds since the epoch), whoever made them. Other files may
   * lie there, and end like locks: those name no process.
   */
  async removeOlder(before: number): Promise<void> {
    for (const entry of await this.#fs.promises.readdir(this.#directory, { withFileTypes: true })) {
      if (entry.isFile() && entry.name.endsWith(lockSuffix)) {
        await this.removeIfOlder(entry.name.slice(0, -lockSuffix.length), before);
      }
    }
  }

  /** Removes one lock if it was made before a moment. */
  async removeIfOlder(name: string, before: number): Promise<void> {
    const path = this.file(name);
    const made = modificationTime(this.#fs, path);
    if (made === undefined || made >= before) return;
    const text = await readIfThere(this.#fs, path);
    if (text !== undefined && parseIdentity(text) !== undefined) await this.#break(path, text);
  }

  /** Makes the next lock look as young as it will be: it is a link to a file from when the waiting began. */
  async renew(): Promise<void> {
    const now = new Date();
    if (this.#identityFile !== undefined) await this.#fs.promises.utimes(await this.#identityFile, now, now);
  }

  /** Removes the file that locks are links to. Locks that are held stay. */
  async close(): Promise<void> {
    if (this.#identityFile !== undefined) await removeIfThere(this.#fs, await this.#identityFile).catch(() => {});
  }

  async #link(path: string): Promise<boolean> {
    const file = await this.#identity();
    try {
      treeFiles(this.#fs).linkSync(file, path);
      return true;
    } catch (cause) {
      if (errorCode(cause) === "EEXIST") return false;
      throw cause;
    }
  }

  #identity(): Promise<string> {
    return (this.#identityFile ??= this.#writeIdentity().catch((cause: unknown) => {
      // What failed now (a full disk) may work the next time.
      this.#identityFile = undefined;
      throw cause;
    }));
  }

  async #writeIdentity(): Promise<string> {
    const file = `${this.#temporary}/${await uniqueName()}`;
    await this.#fs.promises.writeFile(file, `${printIdentity(await ownIdentity())}\n`);
    return file;
  }

  async #owner(path: string): Promise<{ state: "none" | "running" | "dead"; text: string }> {
    const text = await readIfThere(this.#fs, path);
    if (text === undefined) return { state: "none", text: "" };
    const identity = parseIdentity(text);
    // A lock is never seen half-written, so one that names nobody is damaged.
    const running = identity !== undefined && (await isRunning(identity));
    return { state: running ? "running" : "dead", text };
  }

  /**
   * Removes the lock of a dead process, unless another one removes locks just now: what it read may be out of date when
   * it removes, and then that is the fresh lock of who was quicker.
   *
   * So each first makes a file under a name of its own, and then looks whether there is another one. Of two that
   * overlap, at least one looks when both files are there, and leaves. No such file ever has to be broken, since its
   * name tells whose it is: one of a dead process counts for nothing, and anybody may remove it.
   */
  async #break(path: string, stale: string): Promise<boolean> {
    const claim = `${await uniqueName()}${claimSuffix}`;
    const file = `${this.#directory}/${claim}`;
    if (!(await this.#link(file))) return false;
    try {
      if (await this.#isContested(claim)) return false;
      if ((await readIfThere(this.#fs, path)) === stale) await removeIfThere(this.#fs, path);
      return true;
    } finally {
      await removeIfThere(this.#fs, file);
    }
  }

  /** Whether somebody who runs has a claim beside ours; removes those of the dead. */
  async #isContested(own: string): Promise<boolean> {
    for (const name of await this.#fs.promises.readdir(this.#directory)) {
      if (name === own || !name.endsWith(claimSuffix)) continue;
      const owner = parseIdentity(name);
      if (owner !== undefined && (await isRunning(owner))) return true;
      await removeIfThere(this.#fs, `${this.#directory}/${name}`);
    }
    return false;
  }
}
