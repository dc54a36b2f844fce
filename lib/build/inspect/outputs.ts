import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { instantiateRoots } from "../instantiate-roots.ts";
import { realisedOutput } from "../plan.ts";

/** The outputs of something of an evaluation, as far as they are in the store. Nothing is built. */
export const realisedOutputsOf = Effect.fnUntraced(function* (
  root: Derivation,
): Effect.fn.Return<ReadonlyMap<string, StorePath>, StoreError | DerivationError, Store> {
  const store = yield* Store;
  const { instantiation } = yield* instantiateRoots([root]);
  const derivation = instantiation.derivations.get(root);
  const outputs = new Map<string, StorePath>();
  if (derivation === undefined) return outputs;
  for (const name of root.outputs) {
    const path = yield* realisedOutput(store, derivation.store, derivation.hashModulo, name);
    if (path !== undefined) outputs.set(name, path);
  }
  return outputs;
});
