import * as Effect from "effect/Effect";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { openCache } from "#lib/store/cache/cache-files.ts";
import type { CacheCompression } from "#lib/store/cache/compression.ts";
import { pushPaths } from "#lib/store/cache/push.ts";
import { storeError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { type KeySyntaxError, parseSecretKey } from "#lib/store/signature.ts";
import { UnsuitableFlags } from "../../errors.ts";
import type { WatchFlags } from "../../flags.ts";
import { printJson, printLine } from "../../print.ts";
import { withStore } from "../../stores.ts";
import { storePathsOf } from "../store-paths.ts";

/** What to copy where. */
interface PushInput extends WatchFlags {
  readonly url: string;
  readonly installables: readonly string[];
  readonly all: boolean;
  readonly secretKeyFile: string | undefined;
  readonly compression: CacheCompression;
  readonly json: boolean;
}

/** Copies what installables are, and all that they need, into a cache. */
export const push = (flake: LocatedFlake, input: PushInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      if (input.installables.length === 0 && !input.all)
        return yield* new UnsuitableFlags({ problem: "Say what to push: an installable, a path, or --all." });
      const key = input.secretKeyFile === undefined ? undefined : yield* readKey(input.secretKeyFile);
      const paths = (yield* Effect.forEach(input.installables, (text) => storePathsOf(flake, input, text))).flat();
      if (input.all) paths.push(...(yield* (yield* Store).realisations).map(({ path }) => path));
      const cache = yield* openCache(input.url);
      const { pushed, present } = yield* pushPaths(cache, paths, {
        compression: input.compression,
        ...(key !== undefined && { key }),
      });
      if (input.json) return yield* printJson({ pushed, present });
      for (const path of pushed) yield* printLine(path);
      yield* printLine(`${pushed.length} pushed, ${present} there already`);
    }),
  );

const readKey = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem;
  const text = yield* Effect.tryPromise({
    try: () => fs.promises.readFile(file, "utf8"),
    catch: (cause) => storeError("read the secret key", file, cause),
  });
  return yield* Effect.try({ try: () => parseSecretKey(String(text)), catch: (cause) => cause as KeySyntaxError }); // The only thing that it throws.
});
