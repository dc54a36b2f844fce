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
import { askForPaths, findRealisation, pullPaths, pullRealisation } from "#lib/store/cache/pull.ts";
import type { Store } from "#lib/store/store.ts";
import type { SubstitutionOptions } from "./options.ts";

/** What is needed to ask a cache. */
export type SubstitutionServices = Store | FileSystem | Processes | Events;

/** An output that a cache has. */
export interface Offer {
  /** URL of the cache. */
  readonly cache: string;
  /** Of the archives that taking it would fetch, as far as the cache tells. */
  readonly bytes: number;
}

type AskedDerivation = Pick<InstantiatedDerivation, "store" | "hashModulo">;

/** Takes outputs out of binary caches. */
export interface Substituter {
  /** Whether any cache still answers. */
  readonly isWorking: () => boolean;
  /**
   * Makes one output of a derivation valid, original or resolved. What no cache gives, for whatever reason, is
   * undefined; a reason other than that it is not there is a warning.
   */
  readonly take: (
    derivation: AskedDerivation,
    output: string,
  ) => Effect.Effect<StorePath | undefined, never, SubstitutionServices>;
  /** Whether `take` would find the output, and how much it would fetch. Fetches no archive and writes nothing. */
  readonly ask: (
    derivation: AskedDerivation,
    output: string,
  ) => Effect.Effect<Offer | undefined, never, SubstitutionServices>;
}

/** Opens the caches. One that cannot be used is a warning, and is not asked again. */
export const openSubstituter = Effect.fnUntraced(function* ({
  caches,
  trusted,
}: SubstitutionOptions): Effect.fn.Return<Substituter, never, SubstitutionServices> {
  const working = new Map<string, CacheFiles>();
  for (const url of caches) {
    const cache = yield* openCache(url).pipe(Effect.catch(({ message }) => warn(message)));
    if (cache === undefined) continue;
    working.set(url, cache);
    // A server says that it is not there; a directory that is not is as good as an empty one.
    const isCache = url.startsWith("file:")
      ? yield* Effect.orElseSucceed(cache.has("nix-cache-info"), () => true)
      : true;
    if (!isCache) yield* warn(`there is no cache at ${url}: it has no nix-cache-info. Is its name misspelt?`);
  }

  /** The answer of the first cache that has one. */
  const firstOf = Effect.fnUntraced(function* <Answer>(
    question: (cache: CacheFiles) => Effect.Effect<Answer | undefined, CacheError, SubstitutionServices>,
  ): Effect.fn.Return<Answer | undefined, never, SubstitutionServices> {
    for (const [url, cache] of working) {
      const answer = yield* question(cache).pipe(
        Effect.catch((error: CacheError) => {
          if (error._tag === "NotInCache") return Effect.succeed(undefined);
          // Asking again for each of a thousand derivations would take a thousand time-outs.
          if (error._tag === "CacheUnreachable" || error._tag === "IncompatibleCache") working.delete(url);
          return warn(`${error.message} It is built instead.`);
        }),
      );
      if (answer !== undefined) return answer;
    }
    return undefined;
  });

  const take: Substituter["take"] = Effect.fnUntraced(function* (derivation, output) {
    const known = knownPath(derivation, output);
    const key = realisationKey(derivation.hashModulo, output);
    const path = yield* firstOf((cache) =>
      known === undefined
        ? Effect.map(pullRealisation(cache, key, { trusted }), (found) => found?.path)
        : Effect.as(pullPaths(cache, [known], { trusted }), known),
    );
    if (path !== undefined) yield* emit({ type: "note", message: `substituted ${derivation.store.name}` });
    return path;
  });

  const ask: Substituter["ask"] = (derivation, output) =>
    firstOf(
      Effect.fnUntraced(function* (cache): Effect.fn.Return<Offer | undefined, CacheError, Store> {
        const path =
          knownPath(derivation, output) ??
          (yield* findRealisation(cache, realisationKey(derivation.hashModulo, output), { trusted }))?.path;
        if (path === undefined) return undefined;
        return { cache: cache.name, bytes: yield* askForPaths(cache, [path], { trusted }) };
      }),
    );

  return { isWorking: () => working.size > 0, take, ask };
});

function knownPath({ store }: AskedDerivation, output: string): StorePath | undefined {
  const specification = store.outputs.get(output);
  return specification === undefined ? undefined : knownOutputPath(specification);
}

const warn = (message: string): Effect.Effect<undefined, never, Events> =>
  Effect.as(emit({ type: "warning", message }), undefined);
