import * as Effect from "effect/Effect";
import * as Semaphore from "effect/Semaphore";
import { StoreIoError } from "./errors.ts";
import type { LockFiles } from "./lock-files.ts";

/** Locks between processes, by files, and between the fibers of one. */
export class FileLocks {
  readonly files: LockFiles;
  readonly #inProcess = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>();

  constructor(files: LockFiles) {
    this.files = files;
  }

  /** Runs `effect` while no other process or fiber has the lock of this name. Waiting can be interrupted. */
  withLock<A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreIoError, R> {
    const locked = Effect.uninterruptibleMask((restore) =>
      Effect.andThen(
        this.#wait(name, (wait) => restore(wait)),
        Effect.ensuring(
          restore(effect),
          Effect.promise(() => this.files.release(name).catch(() => {})),
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

  readonly #wait = Effect.fnUntraced(function* (
    this: FileLocks,
    name: string,
    restore: (wait: Effect.Effect<void>) => Effect.Effect<void>,
  ) {
    let delay = 10;
    for (;;) {
      const taken = yield* Effect.tryPromise({
        try: () => this.files.take(name),
        catch: (cause) => new StoreIoError({ operation: "take the lock", path: this.files.file(name), cause }),
      });
      if (taken) return;
      // Not all at once, or those who want to remove a dead process's lock would meet again and again.
      yield* restore(Effect.sleep(delay * (0.5 + Math.random())));
      delay = Math.min(delay * 2, 500);
    }
  });
}
