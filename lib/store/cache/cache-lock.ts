import * as Effect from "effect/Effect";
import { basename, dirname } from "node:path";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { StoreIoError } from "../errors.ts";
import { FileLocks } from "../file-lock.ts";
import { LockFiles } from "../lock-files.ts";

/** What the system says where a file can have one name only. */
const linkless: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Runs something while no other process of this machine changes a file of a cache, in a directory that is there. Where
 * there are no hard links, there are no locks, and it runs nevertheless.
 */
export const whileLocked = <A, E extends { readonly _tag: string } = never>(
  fs: FileSystemShape,
  file: string,
  effect: Effect.Effect<A, E>,
): Effect.Effect<A, E | StoreIoError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new LockFiles(fs, dirname(file), dirname(file))),
    (files) => new FileLocks(files).withLock(`.${basename(file)}`, effect),
    (files) => Effect.promise(() => files.close()),
  ).pipe(
    Effect.catchIf(
      (error): error is StoreIoError =>
        error._tag === "StoreIoError" && linkless.has(errorCode((error as StoreIoError).cause) ?? ""),
      () => effect,
    ),
  );
