import * as Effect from "effect/Effect";
import type { BuildOptions } from "#lib/build/options.ts";
import { formatComparisons, type OutputComparison, rebuild, rebuildStored } from "#lib/build/rebuild.ts";
import { NotReproducible } from "../errors.ts";
import { printJson, printLine } from "../print.ts";
import type { Target } from "./build.ts";

/** `build --rebuild`: builds again, and shows where the two results differ. */
export const buildAgain = Effect.fnUntraced(function* (
  targets: readonly Target[],
  options: BuildOptions,
  { json }: { readonly json: boolean },
) {
  const comparisons: OutputComparison[] = [];
  for (const target of targets) {
    comparisons.push(
      ...(yield* typeof target === "string" ? rebuildStored(target, options) : rebuild(target, options)),
    );
  }
  if (json) yield* printJson(comparisons);
  else for (const line of formatComparisons(comparisons)) yield* printLine(line);
  const different = comparisons.filter(({ before, after }) => before !== after);
  if (different.length === 0) return;
  return yield* new NotReproducible({ outputs: different.map(({ derivation, output }) => `${derivation}.${output}`) });
});
