import * as Effect from "effect/Effect";
import { fixedOutputOf } from "#lib/derivations/store-derivation.ts";
import { hashPart, outputPathName, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { OutputHashError, StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import type { BuilderRun, BuilderView } from "./builder-run.ts";
import { HashMismatch, type ScratchError, OutputRefused } from "./errors.ts";
import { outputOrder, rewriteReferences } from "./output-references.ts";
import { inScratch } from "./scratch.ts";

/**
 * Moves the outputs of a successful build into the store. Each gets the path that its content gives; what was told
 * to the builder instead may be mentioned by the other outputs, which are rewritten, but not by the output itself.
 */
export const registerOutputs = Effect.fnUntraced(function* (
  run: BuilderRun,
  view: BuilderView,
): Effect.fn.Return<
  ReadonlyMap<string, StorePath>,
  HashMismatch | OutputRefused | ScratchError | StoreError,
  Store | FileSystem
> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const { derivation, path: deriver, scratch } = run;
  const fixed = fixedOutputOf(derivation);
  const closure = yield* store.closure(derivation.inputSources);
  const registered = new Map<string, StorePath>();
  const replacements = new Map<string, string>();

  const order = yield* inScratch(scratch, () => outputOrder(fs, view.outputs));
  if ("kind" in order) {
    return yield* new OutputRefused({
      name: derivation.name,
      output: order.outputs[0] ?? "",
      reason: `the outputs ${order.outputs.join(", ")} mention each other in a circle`,
      remedy: "Move what they share into one of them.",
    });
  }
  for (const output of order) {
    const built = view.outputs.get(output);
    if (built === undefined) continue;
    const misnamed = yield* inScratch(scratch, () => rewriteReferences(fs, built.physical, replacements));
    if (misnamed !== undefined) {
      return yield* new OutputRefused({
        name: derivation.name,
        output,
        reason: `the name of its file '${misnamed}' holds the store path of another output`,
        remedy: "Name the file after something else.",
      });
    }
    const { path } = yield* store
      .registerOutput({
        name: outputPathName(derivation.name, output),
        directory: built.physical,
        candidates: [...closure, ...registered.values()],
        scratch: built.path,
        ...(fixed !== undefined && { expected: { mode: fixed.mode, hash: fixed.hash } }),
        deriver,
      })
      .pipe(Effect.catchTag("OutputHashError", (error) => Effect.fail(hashMismatch(run, built.path, error))));
    registered.set(output, path);
    replacements.set(hashPart(built.path), hashPart(path));
  }
  return registered;
});

function hashMismatch(
  { derivation, path: deriver }: BuilderRun,
  path: StorePath,
  error: OutputHashError,
): HashMismatch {
  const origin = ["url", "urls", "path"].map((name) => derivation.env.get(name)).find((value) => value !== undefined);
  return new HashMismatch({
    name: derivation.name,
    derivation: deriver,
    path,
    expected: error.expected,
    actual: error.actual,
    origin: origin?.split(/\s+/)[0],
  });
}
