import * as Effect from "effect/Effect";
import { dryRun } from "#lib/build/build.ts";
import { showDerivation } from "#lib/build/inspect/show-derivation.ts";
import { readDerivation } from "#lib/build/stored-derivation.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import { parseDerivationPath } from "#lib/derivations/store-path.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { InvalidPathError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import type { WatchFlags } from "../flags.ts";
import { printJson } from "../print.ts";
import { withStore } from "../stores.ts";
import { derivationOf, isPath, storePathAt } from "./store-paths.ts";

/** Which derivation. */
interface DerivationShowInput extends WatchFlags {
  readonly installable: string;
  readonly recursive: boolean;
}

/** Prints derivations as JSON, by their paths. */
export const derivationShow = (flake: LocatedFlake, input: DerivationShowInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      const found = isPath(input.installable)
        ? [yield* storedDerivation(input.installable)]
        : yield* evaluated(flake, input);
      yield* printJson(Object.fromEntries(found.map(({ path, store }) => [path, showDerivation(store)])));
    }),
  );

/** A `.drv` file, or the one that an output was built by. What is in the store has no input derivations to follow. */
const storedDerivation = Effect.fnUntraced(function* (text: string) {
  const store = yield* Store;
  const path = yield* storePathAt(text);
  if (path.endsWith(".drv")) return yield* readDerivation(parseDerivationPath(path));
  const deriver = (yield* store.pathInfo(path))?.deriver;
  return deriver === undefined
    ? yield* Effect.fail(new InvalidPathError({ path: text }))
    : yield* readDerivation(deriver);
});

const evaluated = Effect.fnUntraced(function* (flake: LocatedFlake, input: DerivationShowInput) {
  const root = yield* derivationOf(flake, input, input.installable);
  const { instantiation } = yield* dryRun([root]);
  const all: readonly InstantiatedDerivation[] = [...instantiation.derivations.values()];
  return input.recursive ? all : all.filter((derivation) => derivation === instantiation.derivations.get(root));
});
