import * as Effect from "effect/Effect";
import { parseAterm } from "#lib/derivations/aterm.ts";
import { hashModulo } from "#lib/derivations/hash-modulo.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import { derivationReferences } from "#lib/derivations/store-derivation.ts";
import { type DerivationPath, derivationName } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { InvalidPathError, storeError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";

/**
 * Reads a derivation that was built before. In the store lie resolved derivations only: their inputs are store
 * paths, so that one file says everything that its build needs.
 */
export const readDerivation = Effect.fnUntraced(function* (
  path: DerivationPath,
): Effect.fn.Return<InstantiatedDerivation, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  if (!(yield* store.isValid(path))) return yield* Effect.fail(new InvalidPathError({ path }));
  return yield* Effect.tryPromise({
    try: async () => {
      const text = await fs.promises.readFile(store.physical(path), "utf8");
      const derivation = parseAterm(derivationName(path), text);
      return {
        path,
        store: derivation,
        text,
        references: derivationReferences(derivation),
        hashModulo: hashModulo(derivation, () => "", text),
      };
    },
    catch: (cause) => storeError("read the derivation", path, cause),
  });
});
