import * as Effect from "effect/Effect";
import { dryRun } from "#lib/build/build.ts";
import { todoOf } from "#lib/build/inspect/task-plan.ts";
import type { SubstitutionOptions } from "#lib/build/options.ts";
import { poolOf, realisedOutput } from "#lib/build/plan.ts";
import { readDerivation } from "#lib/build/stored-derivation.ts";
import { Store } from "#lib/store/store.ts";
import { count, formatBytes } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";
import type { Target } from "./build.ts";
import { type ShownItem, shownItem } from "./shown-item.ts";

/** `build --dry-run`: tells what a build would do. */
export const planBuild = Effect.fnUntraced(function* (
  targets: readonly Target[],
  substitution: SubstitutionOptions,
  { json }: { readonly json: boolean },
) {
  const shown = yield* missing(targets, substitution);
  if (json) return yield* printJson(shown);
  if (shown.length === 0) return yield* printLine("nothing to do");
  const [cached, fetches, builds] = (["cache", "fetch", "build"] as const).map((wanted) =>
    shown.filter(({ kind }) => kind === wanted),
  ) as [ShownItem[], ShownItem[], ShownItem[]];
  if (cached.length > 0) {
    yield* printLine(`would take ${count(cached.length, "result")} from binary caches, ${sizeOf(cached)}:`);
    for (const { name, derivation } of cached) yield* printLine(`  ${name}  ${derivation}`);
  }
  if (fetches.length > 0) yield* printLine(`would download ${count(fetches.length, "file")}, ${sizeOf(fetches)}`);
  if (builds.length > 0) {
    const otherwise = `unless an input turns out the same as before${substitution.caches.length > 0 ? ", or as in a cache" : ""}`;
    yield* printLine(`would build ${count(builds.length, "derivation")}, ${otherwise}:`);
  }
  for (const { name, derivation } of builds) yield* printLine(`  ${name}  ${derivation}`);
});

const sizeOf = (items: readonly ShownItem[]): string =>
  formatBytes(items.reduce((total, { bytes = 0 }) => total + bytes, 0));

const missing = Effect.fnUntraced(function* (targets: readonly Target[], substitution: SubstitutionOptions) {
  const store = yield* Store;
  const roots = targets.filter((target) => typeof target !== "string");
  const { plan } = yield* dryRun(roots, substitution);
  const planned = todoOf(plan).map(shownItem);
  for (const path of targets) {
    if (typeof path !== "string") continue;
    const derivation = yield* readDerivation(path);
    for (const output of derivation.store.outputs.keys()) {
      if ((yield* realisedOutput(store, derivation.store, derivation.hashModulo, output)) !== undefined) continue;
      planned.push(shownItem({ kind: poolOf(derivation.store), derivation }));
      break;
    }
  }
  return planned;
});
