import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
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
import type { StoreError } from "#lib/store/errors.ts";
import type { PublicKey } from "#lib/store/signature.ts";
import { Store } from "#lib/store/store.ts";
import { instantiateRoots } from "./instantiate-roots.ts";
import { realisedOutput } from "./plan.ts";

/** Where results are taken from, and whose word counts. */
export interface SubstitutionOptions {
  /** URLs of binary caches; earlier ones are asked first. */
  readonly caches: readonly string[];
  readonly trusted: readonly PublicKey[];
}

/** How many outputs are asked for at once. */
const concurrency = 8;

type Services = Store | FileSystem | Processes | Events;

/**
 * Takes what is missing out of binary caches, as far as they have it: from the roots down, and below an output that
 * was found nothing is asked for. What no cache gives, for whatever reason, is left to be built; a reason other than
 * that it is not there is a warning.
 *
 * @returns the outputs that were taken
 */
export const substitute = Effect.fnUntraced(function* (
  roots: readonly Derivation[],
  { caches, trusted }: SubstitutionOptions,
): Effect.fn.Return<readonly StorePath[], StoreError | DerivationError, Services> {
  const store = yield* Store;
  const { instantiation } = yield* instantiateRoots(roots);
  const working = new Map<string, CacheFiles>();
  for (const url of caches) {
    const cache = yield* openCache(url).pipe(Effect.catch(({ message }) => warn(message)));
    if (cache !== undefined) working.set(url, cache);
  }

  const take = Effect.fnUntraced(function* (
    derivation: InstantiatedDerivation,
    output: string,
  ): Effect.fn.Return<StorePath | undefined, never, Services> {
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
      if (path !== undefined) return path;
    }
    return undefined;
  });

  const taken: StorePath[] = [];
  const seen = new Set<string>();
  let wave: { readonly derivation: InstantiatedDerivation; readonly output: string }[] = [];
  const want = (derivation: InstantiatedDerivation | undefined, outputs: Iterable<string>): void => {
    if (derivation === undefined) return;
    for (const output of outputs) {
      const key = `${derivation.path}!${output}`;
      if (!seen.has(key)) wave.push({ derivation, output });
      seen.add(key);
    }
  };
  for (const root of roots) want(instantiation.derivations.get(root), root.outputs);
  while (wave.length > 0 && working.size > 0) {
    const asked = wave;
    wave = [];
    const missing = yield* Effect.forEach(
      asked,
      Effect.fnUntraced(function* ({ derivation, output }) {
        if ((yield* realisedOutput(store, derivation.store, derivation.hashModulo, output)) !== undefined)
          return undefined;
        const path = yield* take(derivation, output);
        if (path === undefined) return derivation;
        taken.push(path);
        yield* emit({ type: "note", message: `substituted ${derivation.store.name}` });
        return undefined;
      }),
      { concurrency },
    );
    for (const derivation of missing) {
      if (derivation === undefined) continue;
      for (const [input, outputs] of derivation.store.inputDerivations) want(instantiation.byPath.get(input), outputs);
    }
  }
  return taken.sort();
});

const warn = (message: string): Effect.Effect<undefined, never, Events> =>
  Effect.as(emit({ type: "warning", message }), undefined);
