import * as Effect from "effect/Effect";
import { enclosingStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Store } from "#lib/store/store.ts";
import type { BuilderRun, BuilderView } from "./builder-run.ts";
import { Builtins, type BuiltinFailure } from "./builtin.ts";
import { type BuilderEnd, type ScratchError, UnsuitableDerivation } from "./errors.ts";
import { LimitExceeded } from "./limits.ts";
import { scratchDirectories } from "./sandbox.ts";
import { inScratch } from "./scratch.ts";

/** Runs a builtin builder, inside the engine. */
export const runBuiltin = Effect.fnUntraced(function* (
  { derivation, scratch, log, limits }: BuilderRun,
  view: BuilderView,
): Effect.fn.Return<
  BuilderEnd | undefined,
  BuiltinFailure | UnsuitableDerivation | ScratchError,
  Builtins | FileSystem | Store
> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const builtins = yield* Builtins;
  const builder = builtins.get(derivation.builder);
  if (builder === undefined) {
    return yield* new UnsuitableDerivation({
      name: derivation.name,
      reason: `this program has no builder '${derivation.builder}'`,
      remedy: `It has: ${[...builtins.keys()].sort().join(", ") || "none"}.`,
    });
  }
  const [link] = yield* Effect.filter(derivation.inputSources, (path) =>
    inScratch(scratch, async () => (await fs.promises.lstat(store.physical(path))).isSymbolicLink()),
  );
  if (link !== undefined) {
    return yield* new UnsuitableDerivation({
      name: derivation.name,
      reason: `its input ${link} is a symbolic link, which a builder inside the engine would follow on this machine`,
      remedy: "Copy what it leads to instead of linking it.",
    });
  }
  const directories = scratchDirectories(scratch);
  yield* inScratch(scratch, async () => {
    await fs.promises.mkdir(directories.store);
    await fs.promises.mkdir(directories.build);
  });
  const own = new Map([...view.outputs.values()].map(({ path, physical }) => [path, physical]));
  const build = builder.build({
    derivation,
    env: view.env,
    physical: (path) => physicalPath(store, own, path),
    outputs: Object.fromEntries([...view.outputs].map(([name, { physical }]) => [name, physical])),
    scratch: directories.build,
    log: (line) => log.line(line),
  });
  // Silence is no sign of a builtin's trouble, but its time is limited like that of any other.
  const watch = LimitExceeded.watch(log, { time: limits.time });
  return yield* Effect.raceFirst(build, watch).pipe(
    Effect.as(undefined),
    Effect.catchTag("LimitExceeded", (limit) => Effect.succeed<BuilderEnd>({ kind: "limit", limit })),
  );
});

/** Where a store path, or something below one, lies on this machine; a path to be made lies in the scratch directory. */
function physicalPath(store: Store["Service"], own: ReadonlyMap<StorePath, string>, path: string): string {
  const storePath = enclosingStorePath(path);
  return (own.get(storePath) ?? store.physical(storePath)) + path.slice(storePath.length);
}
