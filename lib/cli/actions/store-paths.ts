import * as Effect from "effect/Effect";
import { realisedOutputsOf } from "#lib/build/inspect/outputs.ts";
import { instantiateRoots } from "#lib/build/instantiate-roots.ts";
import { realisedOutput } from "#lib/build/plan.ts";
import type { Instantiable } from "#lib/derivations/instantiate.ts";
import { inputPlaceholder } from "#lib/derivations/placeholder.ts";
import { enclosingStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { EvaluationPolicy } from "#lib/flake/outputs.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { parseInstallable } from "#lib/flake/installable.ts";
import { selectDerivation } from "#lib/flake/select.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Events } from "#lib/platform/events.ts";
import { InvalidPathError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { NotAStorePath } from "../errors.ts";
import { withStore } from "../stores.ts";

/**
 * Replaces the tokens in a text by paths: of what is in the store the one that it has, of an output that is not the
 * placeholder that stands for it in derivations.
 */
export const withPaths = (text: string, things: readonly Instantiable[]) =>
  withStore(
    { progress: "quiet" },
    Effect.gen(function* () {
      const store = yield* Store;
      const { instantiation } = yield* instantiateRoots(things);
      let shown = instantiation.substitute(text);
      for (const thing of things) {
        const instantiated = thing._tag === "Derivation" ? instantiation.derivations.get(thing) : undefined;
        if (instantiated === undefined) continue;
        const { path, store: derivation, hashModulo } = instantiated;
        for (const output of derivation.outputs.keys()) {
          const placeholder = inputPlaceholder(path, output);
          if (!shown.includes(placeholder)) continue;
          const realised = yield* realisedOutput(store, derivation, hashModulo, output);
          if (realised !== undefined) shown = shown.replaceAll(placeholder, realised);
        }
      }
      return shown;
    }),
  );

/** Whether an argument is a path of the store or leads to one, and no installable: `/nix/store/…`, `./result`. */
export const isPath = (text: string): boolean =>
  /^\.{0,2}\//.test(text) && (text.startsWith(`${storeDirectory}/`) || !/\.toml(#|$)/.test(text));

/** What describes an installable, as builds are recorded by: a file, or the directory of the flake. */
export const originOf = (flake: LocatedFlake, text: string): string => {
  const installable = parseInstallable(text);
  return "_tag" in installable ? flake.directory : (installable.file ?? flake.directory);
};

/** The derivation of an installable. */
export const derivationOf = Effect.fnUntraced(function* (flake: LocatedFlake, policy: EvaluationPolicy, text: string) {
  const installable = parseInstallable(text);
  if ("_tag" in installable) return yield* Effect.fail(installable);
  const { value } = yield* evaluateFlake(flake, policy, (outputs) => selectDerivation(outputs, installable));
  return value;
});

/** The store path that a path is, lies below, or links to; it need not be valid. */
export const storePathAt = Effect.fnUntraced(function* (text: string) {
  const fs = yield* FileSystem;
  const { layout } = yield* Store;
  const logical = text.startsWith(`${storeDirectory}/`)
    ? text
    : yield* Effect.promise(async () => {
        // A link whose target is gone has no real path, but still says what it was.
        const place = await fs.promises.realpath(text).catch(() => fs.promises.readlink(text).catch(() => text));
        const objects = await fs.promises.realpath(layout.objects).catch(() => layout.objects);
        const inside = [objects, layout.objects].find((directory) => String(place).startsWith(`${directory}/`));
        return inside === undefined ? undefined : storeDirectory + String(place).slice(inside.length);
      });
  return yield* Effect.try({
    try: () => enclosingStorePath(logical ?? ""),
    catch: () => new NotAStorePath({ text, store: layout.root }),
  });
});

/** The valid store paths that an argument names: all outputs of an installable, or the one of a path. */
export const storePathsOf = Effect.fnUntraced(function* (flake: LocatedFlake, policy: EvaluationPolicy, text: string) {
  const store = yield* Store;
  if (isPath(text)) {
    const path = yield* storePathAt(text);
    return (yield* store.isValid(path)) ? [path] : yield* Effect.fail(new InvalidPathError({ path }));
  }
  const outputs = yield* realisedOutputsOf(yield* derivationOf(flake, policy, text));
  const paths = [...outputs.values()];
  return paths.length > 0 ? paths : yield* Effect.fail(new InvalidPathError({ path: text }));
});

/** The valid store path that an argument names: of an installable its first output. */
export const storePathOf = Effect.fnUntraced(function* (flake: LocatedFlake, policy: EvaluationPolicy, text: string) {
  const [path] = yield* storePathsOf(flake, policy, text);
  return path as StorePath; // There is at least one.
});

/** Says something to the user that is not a result. */
export const say = (message: string) => Effect.map(Events, ({ emit }) => emit({ type: "note", message }));
