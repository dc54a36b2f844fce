import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { Store } from "#lib/store/store.ts";
import { runPlan } from "./build.ts";
import { buildOutputs } from "./build-outputs.ts";
import type { Builtins } from "./builtin.ts";
import { readDurations } from "./durations.ts";
import { compareTrees, type TreeDifference } from "./inspect/compare-trees.ts";
import { type BuildError, BuildsFailed, type RealisationError } from "./errors.ts";
import { instantiateRoots } from "./instantiate-roots.ts";
import type { BuildOptions } from "./options.ts";
import { makePlan, poolOf } from "./plan.ts";
import { addDerivation, realise, resolveDerivation } from "./realise.ts";
import type { Bubblewrap } from "./sandbox/bubblewrap.ts";
import { inScratch } from "./scratch.ts";
import { makeSession, type Session } from "./session.ts";
import { readDerivation } from "./stored-derivation.ts";

type Services = Store | FileSystem | Processes | Events | Builtins | Bubblewrap;

/** One output, built twice. */
export interface OutputComparison {
  readonly derivation: string;
  readonly output: string;
  readonly before: StorePath;
  /** The same path if the build is reproducible; else the second result, which stays in the store to be looked at. */
  readonly after: StorePath;
  readonly differences: readonly TreeDifference[];
}

/** What `rebuild` builds again: the roots, or with them everything that they are built from, downloads aside. */
export interface RebuildOptions extends BuildOptions {
  readonly again?: "roots" | "all" | undefined;
}

/**
 * Builds derivations once more, although their outputs are there, and compares. What is missing is built first;
 * the second results do not replace the first. Each is built from the first results of its inputs, so what is not
 * reproducible is found where it arises, and is not blamed on all that depends on it.
 */
export const rebuild = Effect.fnUntraced(function* (
  roots: readonly Derivation[],
  { again = "roots", ...options }: RebuildOptions = {},
): Effect.fn.Return<readonly OutputComparison[], BuildError, Services> {
  const { instantiation, addInput } = yield* instantiateRoots(roots);
  const plan = yield* makePlan(instantiation, roots, { again, durations: yield* readDurations });
  const session = yield* makeSession(options, plan.realised, addInput);
  const comparisons = new Map<DerivationPath, readonly OutputComparison[]>();
  yield* runPlan(
    plan,
    session,
    Effect.fnUntraced(function* ({ derivation, again }) {
      if (again?.before === undefined) yield* realise(derivation, session);
      else session.outputs.set(derivation.path, again.before);
      if (again !== undefined) comparisons.set(derivation.path, yield* compareBuilds(derivation, session));
    }),
  );
  return plan.builds.flatMap(({ derivation }) => comparisons.get(derivation.path) ?? []);
});

/** Builds a derivation of the store once more, and compares: the path of a `.drv` file as errors and `log` show it. */
export const rebuildStored = Effect.fnUntraced(function* (
  path: DerivationPath,
  options: BuildOptions = {},
): Effect.fn.Return<readonly OutputComparison[], BuildError, Services> {
  const derivation = yield* readDerivation(path);
  const session = yield* makeSession(options);
  const twice = Effect.andThen(realise(derivation, session), compareBuilds(derivation, session));
  return yield* asBuild(derivation, twice);
});

/** Realises a derivation of the store. A failed build is tried again with this: its inputs are all there. */
export const buildStored = Effect.fnUntraced(function* (
  path: DerivationPath,
  options: BuildOptions = {},
): Effect.fn.Return<ReadonlyMap<string, StorePath>, BuildError, Services> {
  const derivation = yield* readDerivation(path);
  const session = yield* makeSession(options);
  yield* asBuild(derivation, realise(derivation, session));
  return session.outputs.get(path) ?? new Map();
});

/** Builds a realised derivation again. */
const compareBuilds = Effect.fnUntraced(function* (
  derivation: InstantiatedDerivation,
  session: Session,
): Effect.fn.Return<readonly OutputComparison[], RealisationError, Services> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const events = yield* Events;
  const resolved = resolveDerivation(derivation, session.outputs);
  yield* addDerivation(resolved, session);
  const started = performance.now();
  const about = { derivation: derivation.path, name: derivation.store.name, pool: poolOf(derivation.store) };
  const finish = (outcome: "built" | "failed") =>
    Effect.sync(() => {
      const milliseconds = Math.round(performance.now() - started);
      events.emit({ type: "build-finished", ...about, outcome, milliseconds });
    });
  events.emit({ type: "build-started", ...about });
  const after = yield* store.withLock(resolved.path, buildOutputs(resolved, session)).pipe(
    Effect.tapError(() => finish("failed")),
    Effect.tap(() => finish("built")),
  );
  const comparisons: OutputComparison[] = [];
  for (const [output, before] of session.outputs.get(derivation.path) ?? []) {
    const second = after.get(output) ?? before;
    const compare = inScratch(second, () => compareTrees(fs, store.physical(before), store.physical(second)));
    const differences = before === second ? [] : yield* compare;
    comparisons.push({ derivation: derivation.store.name, output, before, after: second, differences });
  }
  return comparisons;
});

const mostDifferences = 20;
/** More outputs that came out the same are not listed but counted. */
const mostSame = 10;

/** What a second build gave, as lines for people. */
export function formatComparisons(comparisons: readonly OutputComparison[]): string[] {
  const same = comparisons.filter(({ before, after }) => before === after);
  const counted = same.length > mostSame;
  const lines = comparisons.flatMap(({ derivation, output, before, after, differences }) => {
    const what = output === "out" ? derivation : `${derivation}.${output}`;
    if (before === after) return counted ? [] : [`${what} is reproducible: both builds gave ${before}`];
    const shown = differences.slice(0, mostDifferences).map(({ file, kind, offset }) => {
      const place = offset === undefined ? "" : ` from byte ${offset}`;
      return `  ${file === "" ? "the output itself" : file}: ${kind}${place}`;
    });
    const more = differences.length > mostDifferences ? [`  … and ${differences.length - mostDifferences} more`] : [];
    return [`${what} is NOT reproducible:`, `  first:  ${before}`, `  second: ${after}`, ...shown, ...more];
  });
  return counted ? [...lines, `${same.length} of ${comparisons.length} outputs are reproducible`] : lines;
}

/** Reports the failure of one derivation as that of a build. */
const asBuild = <A, R>(
  { path, store: { name } }: InstantiatedDerivation,
  effect: Effect.Effect<A, RealisationError, R>,
): Effect.Effect<A, BuildsFailed, R> =>
  Effect.mapError(effect, (error) => new BuildsFailed({ failures: [{ derivation: path, name, error, blocks: [] }] }));
