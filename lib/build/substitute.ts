import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
import type { InstantiatedDerivation, Instantiation } from "#lib/derivations/instantiate.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { instantiateRoots } from "./instantiate-roots.ts";
import type { SubstitutionOptions } from "./options.ts";
import { realisedOutput } from "./plan.ts";
import { openSubstituter, type Substituter, type SubstitutionServices } from "./substituter.ts";

/** How many outputs are asked for at once. */
const concurrency = 8;

/** Takes what is missing of some roots out of binary caches, as far as they have it. */
export const substitute = Effect.fnUntraced(function* (
  roots: readonly Derivation[],
  options: SubstitutionOptions,
): Effect.fn.Return<readonly StorePath[], StoreError | DerivationError, SubstitutionServices> {
  const { instantiation } = yield* instantiateRoots(roots);
  return yield* substituteRoots(instantiation, roots, yield* openSubstituter(options));
});

/**
 * Takes what is missing from the roots down, and below an output that was found nothing is asked for. What no cache
 * gives is left to be built. (What it resolves to is asked for once its inputs are known: see `realise`.)
 *
 * @returns the outputs that were taken
 */
export const substituteRoots = Effect.fnUntraced(function* (
  instantiation: Instantiation,
  roots: readonly Derivation[],
  substituter: Substituter,
): Effect.fn.Return<readonly StorePath[], StoreError, SubstitutionServices> {
  const store = yield* Store;
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
  while (wave.length > 0 && substituter.isWorking()) {
    const asked = wave;
    wave = [];
    const missing = yield* Effect.forEach(
      asked,
      Effect.fnUntraced(function* ({ derivation, output }) {
        const realised = yield* realisedOutput(store, derivation.store, derivation.hashModulo, output);
        if (realised !== undefined) return undefined;
        const path = yield* substituter.take(derivation, output);
        if (path === undefined) return derivation;
        taken.push(path);
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
