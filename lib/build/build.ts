import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
import type { Instantiation } from "#lib/derivations/instantiate.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { emit, Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { attempt } from "#lib/store/attempt.ts";
import { Store } from "#lib/store/store.ts";
import type { Builtins } from "./builtin.ts";
import { findRootOutputs, type InstantiatedSources, nothingToDo, type RootOutputs } from "./built-already.ts";
import { addDurations, readDurations } from "./durations.ts";
import { type BuildError, BuildsFailed, type RealisationError } from "./errors.ts";
import { recordBuild } from "./inspect/build-record-file.ts";
import { instantiateRoots } from "./instantiate-roots.ts";
import type { BuildOptions, SubstitutionOptions } from "./options.ts";
import { downloadSize, makePlan, type Plan, type PlannedBuild } from "./plan.ts";
import type { RealisationOutcome } from "./realise.ts";
import type { Bubblewrap } from "./sandbox/bubblewrap.ts";
import { schedule } from "./scheduler.ts";
import type { Session } from "./session.ts";
import type { SubstitutionServices } from "./substituter.ts";

/** What a build gave. */
export interface BuildResult {
  readonly outputs: RootOutputs;
  readonly instantiation: Instantiation;
  /** Names of the derivations whose builders ran, and of those that changed and yet had not to. */
  readonly built: readonly string[];
  readonly cutOff: readonly string[];
}

/** What a build would have to do. */
export interface DryRun {
  readonly instantiation: Instantiation;
  readonly plan: Plan;
}

/** Finds out what a build would have to do, and does nothing. Without caches, none is asked. */
export const dryRun = Effect.fnUntraced(function* (
  roots: readonly Derivation[],
  substitution: SubstitutionOptions = { caches: [], trusted: [] },
): Effect.fn.Return<DryRun, DerivationError | StoreError, SubstitutionServices> {
  const { instantiation } = yield* instantiateRoots(roots);
  if (substitution.caches.length === 0) return { instantiation, plan: yield* makePlan(instantiation, roots) };
  const { openSubstituter } = yield* Effect.promise(() => import("./substituter.ts"));
  const { ask } = yield* openSubstituter(substitution);
  return { instantiation, plan: yield* makePlan(instantiation, roots, {}, ask) };
});

/**
 * Realises all outputs of the roots: finds what is missing, builds it in the sandbox, registers it in the store.
 *
 * Several processes may do this on one store at the same time. Interrupting it kills the builders and removes what
 * they left; nothing that failed or was interrupted is remembered.
 */
export const build = Effect.fnUntraced(function* (
  roots: readonly Derivation[],
  buildOptions: BuildOptions = {},
  instantiated?: InstantiatedSources,
): Effect.fn.Return<BuildResult, BuildError, Store | FileSystem | Processes | Events | Builtins | Bubblewrap> {
  const { instantiation, addInput } = yield* instantiateRoots(roots, instantiated);
  const fs = yield* FileSystem;
  const { reader, root: place, layout } = yield* Store;
  // What `why-rebuild` compares with later is not worth failing for.
  const record = Effect.forEach(
    roots,
    (root) =>
      attempt("write the build record in", layout.builds, () =>
        recordBuild(fs, layout, instantiation, root, buildOptions.originOf?.(root)),
      ).pipe(Effect.catch(warn)),
    { discard: true },
  );
  const found = yield* attempt("look for outputs in", place, () => findRootOutputs(reader, instantiation, roots));
  if (found !== undefined) {
    yield* record;
    yield* emit(nothingToDo);
    return { outputs: found, instantiation, built: [], cutOff: [] };
  }
  // Most runs find everything built, and never load what builds.
  const planOptions = { durations: yield* readDurations };
  const missing = yield* makePlan(instantiation, roots, planOptions);
  const { makeSession, realise } = yield* Effect.promise(() => import("./realisation.ts"));
  const session = yield* makeSession(buildOptions, missing.realised, addInput);
  let plan = missing;
  const substituter = yield* session.substituter;
  if (substituter !== undefined) {
    const { substituteRoots } = yield* Effect.promise(() => import("./substitute.ts"));
    yield* substituteRoots(instantiation, roots, substituter);
    plan = yield* makePlan(instantiation, roots, planOptions);
    for (const [path, outputs] of plan.realised) session.outputs.set(path, outputs);
  }
  const outcomes: Record<RealisationOutcome, string[]> = { built: [], "cut-off": [] };
  const durations = new Map<string, number>();
  const run = Effect.fnUntraced(function* ({ derivation }: PlannedBuild) {
    const { name } = derivation.store;
    const started = performance.now();
    const outcome = yield* realise(derivation, session);
    outcomes[outcome].push(name);
    if (outcome === "built") durations.set(name, Math.round(performance.now() - started));
  });
  const remember = Effect.suspend(() => addDurations(durations)).pipe(Effect.catch(warn));
  yield* runPlan(plan, session, run).pipe(Effect.ensuring(remember));
  yield* record;
  const outputs = outputsOf(roots, instantiation, session.outputs);
  return { outputs, instantiation, built: outcomes.built, cutOff: outcomes["cut-off"] };
});

const warn = (error: StoreError) => emit({ type: "warning", message: error.message });

/**
 * Does `run` for everything that is planned, each after its inputs. Also announces the plan.
 *
 * @param run puts the derivation's outputs into the session
 */
export const runPlan = Effect.fnUntraced(function* <Requirements>(
  plan: Plan,
  { options: { jobs, fetches, keepGoing } }: Session,
  run: (planned: PlannedBuild) => Effect.Effect<void, RealisationError, Requirements>,
) {
  const events = yield* Events;
  events.emit({ type: "plan", ...planSize(plan) });
  const failures = yield* schedule(plan.builds, { slots: { build: jobs, fetch: fetches }, keepGoing }, run);
  if (failures.length === 0) return;
  return yield* new BuildsFailed({
    failures: failures.map(({ task, failure, blocks }) => ({
      derivation: task.derivation.path,
      name: task.derivation.store.name,
      error: failure,
      blocks: blocks.map(({ derivation }) => derivation.store.name).sort(),
    })),
  });
});

function planSize({ builds }: Plan): { builds: number; fetches: number; downloadBytes: number } {
  const fetches = builds.filter(({ pool }) => pool === "fetch");
  const twice = builds.filter(({ again }) => again !== undefined && again.before === undefined);
  return {
    builds: builds.length - fetches.length + twice.length,
    fetches: fetches.length,
    downloadBytes: fetches.reduce((total, { derivation }) => total + (downloadSize(derivation.store) ?? 0), 0),
  };
}

/** The outputs of each root, out of all that are known. */
function outputsOf(
  roots: readonly Derivation[],
  instantiation: Instantiation,
  known: ReadonlyMap<string, ReadonlyMap<string, StorePath>>,
): BuildResult["outputs"] {
  return new Map(
    roots.map((root) => {
      const path = instantiation.derivations.get(root)?.path;
      const outputs = path === undefined ? undefined : known.get(path);
      if (outputs === undefined) throw new TypeError(`root ${root.name} has no outputs after a successful build`);
      return [root, outputs] as const;
    }),
  );
}
