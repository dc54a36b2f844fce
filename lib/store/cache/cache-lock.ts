import * as Effect from "effect/Effect";
import { basename, dirname } from "node:path";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { StoreIoError } from "../errors.ts";
import { FileLocks } from "../file-lock.ts";
import { LockFiles } from "../lock-files.ts";

/** What the system says where a file can have one name only. */
const linkless: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Who holds a lock of a cache only replaces a small file: after so long, in milliseconds, that process is gone. */
const heldAtMost = 60_000;
/** How often whoever waits looks whether that is so, in milliseconds. */
const patience = 1000;

/**
 * Runs something while no other process of this machine changes a file of a cache, in a directory that is there. Where
 * there are no hard links, there are no locks, and it runs nevertheless. What an owner in another container has come to,
 * nobody can see, so the lock's age tells.
 */
export const whileLocked = <A, E extends { readonly _tag: string } = never>(
  fs: FileSystemShape,
  file: string,
  effect: Effect.Effect<A, E>,
): Effect.Effect<A, E | StoreIoError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new LockFiles(fs, dirname(file), dirname(file))),
    (files) => {
      const name = `.${basename(file)}`;
      let waits = true;
      const taken = Effect.sync(() => (waits = false));
      const tending = Effect.whileLoop({
        while: () => waits,
        body: () =>
          Effect.andThen(
            Effect.sleep(patience),
            Effect.suspend(() => (waits ? tend(files, name) : Effect.void)),
          ),
        step: () => {},
      });
      const locked = new FileLocks(files).withLock(name, Effect.andThen(taken, effect));
      return Effect.raceFirst(locked, Effect.andThen(tending, Effect.never));
    },
    (files) => Effect.promise(() => files.close()),
  ).pipe(
    Effect.catchIf(
      (error): error is StoreIoError =>
        error._tag === "StoreIoError" && linkless.has(errorCode((error as StoreIoError).cause) ?? ""),
      () => effect,
    ),
  );

/** What fails here fails once more, with its reason, when the lock is taken. */
const tend = (files: LockFiles, name: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    try {
      await files.renew();
      await files.removeIfOlder(name, Date.now() - heldAtMost);
    } catch {}
  });
