import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import { type DerivationPath, parseDerivationPath, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { logFile } from "#lib/store/layout.ts";
import { Store } from "#lib/store/store.ts";
import { instantiateRoots } from "../instantiate-roots.ts";
import { realisedOutput } from "../plan.ts";
import { resolveDerivation } from "../realise.ts";
import { realisedOutputsOf } from "./outputs.ts";

/** The log of the last build of a derivation or of an output, successful or not; undefined if none was kept. */
export const findLog = Effect.fnUntraced(function* (
  path: StorePath,
): Effect.fn.Return<string | undefined, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const derivation = path.endsWith(".drv") ? parseDerivationPath(path) : (yield* store.pathInfo(path))?.deriver;
  if (derivation === undefined) return undefined;
  const log = logFile(store.layout, derivation);
  const exists = yield* Effect.promise(() =>
    fs.promises.access(log).then(
      () => true,
      () => false,
    ),
  );
  return exists ? log : undefined;
});

/**
 * The same for something of an evaluation. Logs belong to resolved derivations, which are not known as long as an input
 * has no output; then an output may still know from which it came. That is asked last: another derivation may have
 * made the same.
 */
export const findLogOf = Effect.fnUntraced(function* (
  root: Derivation,
): Effect.fn.Return<string | undefined, StoreError | DerivationError, Store | FileSystem> {
  const { instantiation } = yield* instantiateRoots([root]);
  const derivation = instantiation.derivations.get(root);
  const resolved = derivation === undefined ? undefined : yield* resolvedPath(derivation, instantiation.byPath);
  const own = resolved === undefined ? undefined : yield* findLog(resolved);
  if (own !== undefined) return own;
  for (const path of (yield* realisedOutputsOf(root)).values()) {
    const log = yield* findLog(path);
    if (log !== undefined) return log;
  }
  return undefined;
});

/** What a derivation resolves to, if all its inputs are built. */
const resolvedPath = Effect.fnUntraced(function* (
  derivation: InstantiatedDerivation,
  byPath: ReadonlyMap<DerivationPath, InstantiatedDerivation>,
): Effect.fn.Return<DerivationPath | undefined, StoreError, Store> {
  const store = yield* Store;
  const outputs = new Map<DerivationPath, Map<string, StorePath>>();
  for (const [path, names] of derivation.store.inputDerivations) {
    const input = byPath.get(path);
    const found = new Map<string, StorePath>();
    for (const name of names) {
      const output = input && (yield* realisedOutput(store, input.store, input.hashModulo, name));
      if (output === undefined) return undefined;
      found.set(name, output);
    }
    outputs.set(path, found);
  }
  return resolveDerivation(derivation, outputs).path;
});
