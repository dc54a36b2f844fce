import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import type { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { Store } from "#lib/store/store.ts";
import { runPlan } from "./build.ts";
import { buildOutputs } from "./build-outputs.ts";
import type { Builtins } from "./builtin.ts";
import { compareTrees, type TreeDifference } from "./inspect/compare-trees.ts";
import { type BuildError, BuildsFailed, type RealisationError } from "./errors.ts";
import { instantiateRoots } from "./instantiate-roots.ts";
import type { BuildOptions } from "./options.ts";
import { makePlan } from "./plan.ts";
import { realise, resolveDerivation } from "./realise.ts";
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

/**
 * Builds a derivation once more, although its outputs are there, and compares. What is missing is built first;
 * the second result does not replace the first.
 */
export const rebuild = Effect.fnUntraced(function* (
  root: Derivation,
  options: BuildOptions = {},
): Effect.fn.Return<readonly OutputComparison[], BuildError, Services> {
  const { instantiation, addInput } = yield* instantiateRoots([root]);
  const plan = yield* makePlan(instantiation, [root], { again: true });
  const session = yield* makeSession(options, plan.realised, addInput);
  const twice = instantiation.derivations.get(root);
  let comparisons: readonly OutputComparison[] = [];
  yield* runPlan(
    plan,
    session,
    Effect.fnUntraced(function* (derivation) {
      yield* realise(derivation, session);
      if (derivation === twice) comparisons = yield* compareBuilds(derivation, session);
    }),
  );
  return comparisons;
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
  const resolved = resolveDerivation(derivation, session.outputs);
  const after = yield* store.withLock(resolved.path, buildOutputs(resolved, session));
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

/** What a second build gave, as lines for people. */
export function formatComparisons(comparisons: readonly OutputComparison[]): string[] {
  return comparisons.flatMap(({ derivation, output, before, after, differences }) => {
    const what = output === "out" ? derivation : `${derivation}.${output}`;
    if (before === after) return [`${what} is reproducible: both builds gave ${before}`];
    const shown = differences.slice(0, mostDifferences).map(({ file, kind, offset }) => {
      const place = offset === undefined ? "" : ` from byte ${offset}`;
      return `  ${file === "" ? "the output itself" : file}: ${kind}${place}`;
    });
    const more = differences.length > mostDifferences ? [`  … and ${differences.length - mostDifferences} more`] : [];
    return [`${what} is NOT reproducible:`, `  first:  ${before}`, `  second: ${after}`, ...shown, ...more];
  });
}

/** Reports the failure of one derivation as that of a build. */
const asBuild = <A, R>(
  { path, store: { name } }: InstantiatedDerivation,
  effect: Effect.Effect<A, RealisationError, R>,
): Effect.Effect<A, BuildsFailed, R> =>
  Effect.mapError(effect, (error) => new BuildsFailed({ failures: [{ derivation: path, name, error, blocks: [] }] }));
