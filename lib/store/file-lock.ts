import * as Effect from "effect/Effect";
import * as Semaphore from "effect/Semaphore";
import { errorCode, type FileSystemShape } from "#lib/platform/file-system.ts";
import { readIfThere, removeIfThere, uniqueName } from "./atomic-file.ts";
import { storeError, type StoreError } from "./errors.ts";
import { isRunning, ownIdentity, parseIdentity, printIdentity } from "./process-identity.ts";

/**
 * Locks between processes, and between the fibers of one.
 *
 * Node has no `flock`. A lock is a hard link to a file that names its owner, so
 * it appears with its content in one step; when the owner no longer runs, the
 * next process that wants the lock removes it.
 */
export class FileLocks {
  readonly #fs: FileSystemShape;
  readonly #directory: string;
  readonly #temporary: string;
  readonly #inProcess = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>();
  #identityFile: Promise<string> | undefined;

  constructor(fs: FileSystemShape, directory: string, temporary: string) {
    this.#fs = fs;
    this.#directory = directory;
    this.#temporary = temporary;
  }

  /** Runs `effect` while no other process or fiber has the lock of this name. Waiting can be interrupted. */
  withLock<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreError, R> {
    const path = `${this.#directory}/${name}.lock`;
    const locked = Effect.uninterruptibleMask((restore) =>
      Effect.andThen(
        this.#wait(path, (wait) => restore(wait)),
        Effect.ensuring(
          restore(effect),
          Effect.promise(() => removeIfThere(this.#fs, path).catch(() => {})),
        ),
      ),
    );
    return Effect.suspend(() => {
      const known = this.#inProcess.get(name) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 };
      this.#inProcess.set(name, known);
      known.users += 1;
      return Effect.ensuring(
        known.semaphore.withPermits(1)(locked),
        Effect.sync(() => {
          known.users -= 1;
          if (known.users === 0) this.#inProcess.delete(name);
        }),
      );
    });
  }

  /** Whether a running process has the lock. */
  async isHeld(name: string): Promise<boolean> {
    return (await this.#owner(`${this.#directory}/${name}.lock`)).state === "running";
  }

  /** Removes the file that locks are links to. Locks that are held stay. */
  async close(): Promise<void> {
    if (this.#identityFile !== undefined) await removeIfThere(this.#fs, await this.#identityFile).catch(() => {});
  }

  readonly #wait = Effect.fnUntraced(function* (
    this: FileLocks,
    path: string,
    restore: (wait: Effect.Effect<void>) => Effect.Effect<void>,
  ) {
    let delay = 10;
    for (;;) {
      const taken = yield* Effect.tryPromise({
        try: () => this.#take(path),
        catch: (cause) => storeError("take the lock", path, cause),
      });
      if (taken) return;
      yield* restore(Effect.sleep(delay));
      delay = Math.min(delay * 2, 500);
    }
  });

  /** Tries to take the lock; removes it if its owner is dead. */
  async #take(path: string): Promise<boolean> {
    if (await this.#link(path)) return true;
    const owner = await this.#owner(path);
    if (owner.state === "none") return this.#link(path);
    if (owner.state === "running") return false;
    return (await this.#break(path, owner.text)) && (await this.#link(path));
  }

  async #link(path: string): Promise<boolean> {
    const file = await this.#identity();
    try {
      await this.#fs.promises.link(file, path);
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
   * Removes the lock of a dead process. Of several processes that see it, only
   * one may do so, or the second would remove the fresh lock of the first.
   */
  async #break(path: string, stale: string): Promise<boolean> {
    const breaker = `${path}.break`;
    if (!(await this.#link(breaker))) {
      const owner = await this.#owner(breaker);
      if (owner.state === "dead") await removeIfThere(this.#fs, breaker);
      return false;
    }
    try {
      if ((await readIfThere(this.#fs, path)) === stale) await removeIfThere(this.#fs, path);
      return true;
    } finally {
      await removeIfThere(this.#fs, breaker);
    }
  }
}
