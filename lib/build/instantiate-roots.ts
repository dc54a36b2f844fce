import * as Effect from "effect/Effect";
import type { DerivationError } from "#lib/derivations/errors.ts";
import type { Instantiable, Instantiation } from "#lib/derivations/instantiate.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { isStoreError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { type InstantiatedSources, instantiateSources } from "./built-already.ts";

/** Some roots in their final form, and how to bring their sources and texts into the store. */
export interface InstantiatedRoots {
  readonly instantiation: Instantiation;
  /** Adds a source or a text of this evaluation; anything else is in the store already. Each is added once. */
  readonly addInput: (path: StorePath) => Effect.Effect<void, StoreError>;
}

/**
 * Hashes the sources that the roots mention, and computes every `.drv` file, unless that was done before. Nothing is
 * written.
 */
export const instantiateRoots = Effect.fnUntraced(function* (
  roots: readonly Instantiable[],
  before?: InstantiatedSources,
): Effect.fn.Return<InstantiatedRoots, DerivationError | StoreError, Store> {
  const store = yield* Store;
  const instantiating = attempt((signal) => instantiateSources(store.reader, roots, signal));
  const { instantiation, sourcePaths } = before ?? (yield* instantiating);

  const additions = new Map<StorePath, Effect.Effect<unknown, StoreError>>();
  for (const [source, path] of sourcePaths) additions.set(path, store.addSource(source, path));
  for (const [text, { path, content, references }] of instantiation.texts) {
    // A text's references come before it: a path is only valid if what it mentions is.
    const before = Effect.forEach(references, (reference) => addInput(reference), { discard: true });
    additions.set(path, Effect.andThen(before, store.addText(text.name, content, references)));
  }
  const added = new Map<StorePath, Effect.Effect<unknown, StoreError>>();
  const addInput = (path: StorePath): Effect.Effect<void, StoreError> =>
    Effect.gen(function* () {
      const addition = additions.get(path);
      if (addition === undefined) return;
      const once = added.get(path) ?? (yield* Effect.cached(addition));
      added.set(path, once);
      yield* once;
    });
  return { instantiation, addInput };
});

/** What is thrown on purpose is an error of the user's recipe, or of the disk. */
const attempt = <A>(compute: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: compute, catch: (cause) => cause }).pipe(
    Effect.catch((cause) => (isStoreError(cause) ? Effect.fail(cause) : Effect.die(cause))),
  );
