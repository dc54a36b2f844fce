import * as Effect from "effect/Effect";
import { dryRun } from "#lib/build/build.ts";
import { downloadSize, poolOf, realisedOutput } from "#lib/build/plan.ts";
import { readDerivation } from "#lib/build/stored-derivation.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import { Store } from "#lib/store/store.ts";
import { count, formatBytes } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";
import type { Target } from "./build.ts";

/** `build --dry-run`: tells what a build would do. */
export const planBuild = Effect.fnUntraced(function* (
  targets: readonly Target[],
  { json }: { readonly json: boolean },
) {
  const planned = yield* missing(targets);
  const shown = planned.map(({ path, store: derivation }) => ({
    name: derivation.name,
    derivation: path,
    kind: poolOf(derivation),
    ...(poolOf(derivation) === "fetch" && { bytes: downloadSize(derivation) ?? 0 }),
  }));
  if (json) return yield* printJson(shown);
  if (shown.length === 0) return yield* printLine("nothing to do");
  const fetches = shown.filter(({ kind }) => kind === "fetch");
  const builds = shown.filter(({ kind }) => kind === "build");
  const bytes = fetches.reduce((total, fetch) => total + (fetch.bytes ?? 0), 0);
  if (fetches.length > 0) yield* printLine(`would download ${count(fetches.length, "file")}, ${formatBytes(bytes)}`);
  if (builds.length > 0)
    yield* printLine(
      `would build ${count(builds.length, "derivation")}, unless an input turns out the same as before:`,
    );
  for (const { name, derivation } of builds) yield* printLine(`  ${name}  ${derivation}`);
});

const missing = Effect.fnUntraced(function* (targets: readonly Target[]) {
  const store = yield* Store;
  const roots = targets.filter((target) => typeof target !== "string");
  const planned: InstantiatedDerivation[] = (yield* dryRun(roots)).plan.builds.map(({ derivation }) => derivation);
  for (const path of targets) {
    if (typeof path !== "string") continue;
    const derivation = yield* readDerivation(path);
    for (const output of derivation.store.outputs.keys()) {
      if ((yield* realisedOutput(store, derivation.store, derivation.hashModulo, output)) !== undefined) continue;
      planned.push(derivation);
      break;
    }
  }
  return planned;
});
