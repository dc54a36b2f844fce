import * as Effect from "effect/Effect";
import { realisationKey } from "#lib/derivations/hash-modulo.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import { knownOutputPath } from "#lib/derivations/store-derivation.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { emit, type Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { openCache, type CacheFiles } from "#lib/store/cache/cache-files.ts";
import type { CacheError } from "#lib/store/cache/errors.ts";
import { pullPaths, pullRealisation } from "#lib/store/cache/pull.ts";
import type { Store } from "#lib/store/store.ts";
import type { SubstitutionOptions } from "./options.ts";

/** What is needed to ask a cache. */
export type SubstitutionServices = Store | FileSystem | Processes | Events;

/** Takes outputs out of binary caches. */
export interface Substituter {
  /** Whether any cache still answers. */
  readonly isWorking: () => boolean;
  /**
   * Makes one output of a derivation valid, original or resolved. What no cache gives, for whatever reason, is
   * undefined; a reason other than that it is not there is a warning.
   */
  readonly take: (
    derivation: Pick<InstantiatedDerivation, "store" | "hashModulo">,
    output: string,
  ) => Effect.Effect<StorePath | undefined, never, SubstitutionServices>;
}

/** Opens the caches. One that cannot be used is a warning, and is not asked again. */
export const openSubstituter = Effect.fnUntraced(function* ({
  caches,
  trusted,
}: SubstitutionOptions): Effect.fn.Return<Substituter, never, SubstitutionServices> {
  const working = new Map<string, CacheFiles>();
  for (const url of caches) {
    const cache = yield* openCache(url).pipe(Effect.catch(({ message }) => warn(message)));
    if (cache !== undefined) working.set(url, cache);
  }

  const take: Substituter["take"] = Effect.fnUntraced(function* (derivation, output) {
    const specification = derivation.store.outputs.get(output);
    const known = specification === undefined ? undefined : knownOutputPath(specification);
    for (const [url, cache] of working) {
      const pull =
        known === undefined
          ? Effect.map(
              pullRealisation(cache, realisationKey(derivation.hashModulo, output), { trusted }),
              (found) => found?.path,
            )
          : Effect.as(pullPaths(cache, [known], { trusted }), known);
      const path = yield* pull.pipe(
        Effect.catch((error: CacheError) => {
          if (error._tag === "NotInCache") return Effect.succeed(undefined);
          // Asking again for each of a thousand derivations would take a thousand time-outs.
          if (error._tag === "CacheUnreachable" || error._tag === "IncompatibleCache") working.delete(url);
          return warn(`${error.message} It is built instead.`);
        }),
      );
      if (path === undefined) continue;
      yield* emit({ type: "note", message: `substituted ${derivation.store.name}` });
      return path;
    }
    return undefined;
  });
  return { isWorking: () => working.size > 0, take };
});

const warn = (message: string): Effect.Effect<undefined, never, Events> =>
  Effect.as(emit({ type: "warning", message }), undefined);
