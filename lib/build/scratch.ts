import * as Effect from "effect/Effect";
import { posix } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { ScratchError } from "./errors.ts";

/** Does something in a build's private directory; a full disk or a lack of permission there is no bug. */
export const inScratch = <A>(directory: string, action: () => Promise<A>): Effect.Effect<A, ScratchError> =>
  Effect.tryPromise({ try: action, catch: (cause) => new ScratchError({ directory, cause }) });

/**
 * Gives all directories below `directory` to their owner again. A builder may leave some that are not writable
 * (every copy of a store path is), and an ordinary user cannot remove or move what is in them.
 */
export async function makeRemovable(fs: FileSystemShape, directory: string): Promise<void> {
  const next = [directory];
  for (let current = next.pop(); current !== undefined; current = next.pop()) {
    await fs.promises.chmod(current, 0o700);
    for (const entry of await fs.promises.readdir(current, { withFileTypes: true })) {
      if (entry.isDirectory()) next.push(posix.join(current, entry.name));
    }
  }
}
