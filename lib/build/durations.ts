import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { FileSystem } from "#lib/platform/file-system.ts";
import { writeAtomically } from "#lib/store/atomic-file.ts";
import { storeError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";

/** Milliseconds that derivations took when they were last built, by name. */
export type Durations = ReadonlyMap<string, number>;

/** Names that are remembered; those built longest ago are forgotten first. */
const mostNames = 10_000;

const durationsFile = (store: Store["Service"]): string => posix.join(store.layout.builds, "durations.json");

/**
 * What earlier builds took. Only the order of builds depends on it, never a result: a file that is missing or
 * damaged counts as empty.
 */
export const readDurations: Effect.Effect<Durations, never, Store | FileSystem> = Effect.gen(function* () {
  const fs = yield* FileSystem;
  const file = durationsFile(yield* Store);
  return yield* Effect.promise(async () => {
    try {
      const entries: unknown = JSON.parse(await fs.promises.readFile(file, "utf8"));
      return new Map(Array.isArray(entries) ? entries.filter(isDuration) : []);
    } catch {
      return new Map();
    }
  });
});

const isDuration = (entry: unknown): entry is [string, number] =>
  Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "number";

/** Remembers what builds took. Of two processes that do so at once the later one wins. */
export const addDurations = Effect.fnUntraced(function* (
  measured: Durations,
): Effect.fn.Return<void, StoreError, Store | FileSystem> {
  if (measured.size === 0) return;
  const fs = yield* FileSystem;
  const store = yield* Store;
  const known = new Map(yield* readDurations);
  for (const [name, milliseconds] of measured) {
    known.delete(name);
    known.set(name, milliseconds);
  }
  const file = durationsFile(store);
  yield* Effect.tryPromise({
    try: async () => {
      await fs.promises.mkdir(posix.dirname(file), { recursive: true });
      await writeAtomically(fs, store.layout.temporary, file, JSON.stringify([...known].slice(-mostNames)));
    },
    catch: (cause) => storeError("write the durations of builds", file, cause),
  });
});
