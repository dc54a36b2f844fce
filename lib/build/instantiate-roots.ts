import * as Effect from "effect/Effect";
import type { DerivationError } from "#lib/derivations/errors.ts";
import { type Instantiable, instantiate, type Instantiation, referencedSources } from "#lib/derivations/instantiate.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";

/** Some roots in their final form, and how to bring their sources and texts into the store. */
export interface InstantiatedRoots {
  readonly instantiation: Instantiation;
  /** Adds a source or a text of this evaluation; anything else is in the store already. Each is added once. */
  readonly addInput: (path: StorePath) => Effect.Effect<void, StoreError>;
}

/** How many sources are hashed at once. */
const concurrency = 4;

/** Hashes the sources that the roots mention, and computes every `.drv` file. Nothing is written. */
export const instantiateRoots = Effect.fnUntraced(function* (
  roots: readonly Instantiable[],
): Effect.fn.Return<InstantiatedRoots, DerivationError | StoreError, Store> {
  const store = yield* Store;
  const sources = yield* attempt(() => referencedSources(roots));
  const paths = yield* Effect.forEach(sources, (source) => store.sourcePath(source), { concurrency });
  const sourcePaths = new Map(
    sources.flatMap((source, index) => {
      const path = paths[index];
      return path === undefined ? [] : [[source, path] as const];
    }),
  );
  const instantiation = yield* attempt(() => instantiate(roots, sourcePaths));

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

/** Runs the pure part; what it throws on purpose is an error of the user's recipe. */
const attempt = <A>(compute: () => A): Effect.Effect<A, DerivationError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(compute());
    } catch (cause) {
      return isDerivationError(cause) ? Effect.fail(cause) : Effect.die(cause);
    }
  });

const tags: Readonly<Record<DerivationError["_tag"], true>> = {
  AtermError: true,
  DerivationAttributeError: true,
  HashSyntaxError: true,
  MissingInputError: true,
  MissingSourceError: true,
  StorePathError: true,
  TextReferenceError: true,
};

const isDerivationError = (cause: unknown): cause is DerivationError =>
  cause instanceof Error && "_tag" in cause && typeof cause._tag === "string" && Object.hasOwn(tags, cause._tag);
