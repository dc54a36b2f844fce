import * as Effect from "effect/Effect";
import type { BuildOptions } from "#lib/build/options.ts";
import { formatComparisons, type OutputComparison, rebuild, rebuildStored } from "#lib/build/rebuild.ts";
import { NotReproducible, UnsuitableFlags } from "../errors.ts";
import { printJson, printLine } from "../print.ts";
import type { Target } from "./build.ts";

/** `build --rebuild` and `--rebuild-all`: builds again, and shows where the two results differ. */
export const buildAgain = Effect.fnUntraced(function* (
  targets: readonly Target[],
  options: BuildOptions,
  { json, rebuildAll }: { readonly json: boolean; readonly rebuildAll: boolean },
) {
  const derivations = targets.filter((target) => typeof target !== "string");
  const stored = targets.filter((target) => typeof target === "string");
  if (rebuildAll && stored.length > 0) {
    return yield* new UnsuitableFlags({
      problem:
        "--rebuild-all needs to know what everything is built from, which a derivation of the store does not say. " +
        "Name what it belongs to, such as '.#NAME', or use --rebuild.",
    });
  }
  const comparisons: OutputComparison[] = [];
  const again = rebuildAll ? "all" : "roots";
  if (derivations.length > 0) comparisons.push(...(yield* rebuild(derivations, { ...options, again })));
  for (const path of stored) comparisons.push(...(yield* rebuildStored(path, options)));
  if (json) yield* printJson(comparisons);
  else for (const line of formatComparisons(comparisons)) yield* printLine(line);
  const different = comparisons.filter(({ before, after }) => before !== after);
  if (different.length === 0) return;
  return yield* new NotReproducible({ outputs: different.map(({ derivation, output }) => `${derivation}.${output}`) });
});
