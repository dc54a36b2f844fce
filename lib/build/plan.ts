import * as Effect from "effect/Effect";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { HashModulo } from "#lib/derivations/hash-modulo.ts";
import type { InstantiatedDerivation, Instantiation } from "#lib/derivations/instantiate.ts";
import type { InputOutputs } from "#lib/derivations/resolve.ts";
import { fixedOutputOf, type StoreDerivation } from "#lib/derivations/store-derivation.ts";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import { attempt } from "#lib/store/attempt.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { isBuiltin } from "./builtin.ts";
import { findOutput } from "./built-already.ts";
import type { Durations } from "./durations.ts";
import type { Pool, Task } from "./scheduler.ts";
import type { Offer } from "./substituter.ts";

/** A derivation that has to be realised. */
export interface PlannedBuild extends Task<PlannedBuild> {
  readonly derivation: InstantiatedDerivation;
  /** Set if it is to be built again, to be compared. */
  readonly again: { readonly before: ReadonlyMap<string, StorePath> | undefined } | undefined;
}

/** What has to be done for some roots, and what need not. */
export interface Plan {
  /** Inputs before dependents. */
  readonly builds: readonly PlannedBuild[];
  /** The outputs in the store at which the search stopped: what the builds start from. */
  readonly realised: InputOutputs;
  /** What binary caches have, if they were asked; inputs before dependents. */
  readonly offered: readonly PlannedSubstitution[];
}

/** A derivation of which every wanted output that is not in the store is in a binary cache. */
export interface PlannedSubstitution {
  readonly derivation: InstantiatedDerivation;
  /** Of each output that would be taken. */
  readonly offers: readonly Offer[];
}

export interface PlanOptions {
  /**
   * Plans the roots, or all that they are built from, to be built also if they are in the store. Fixed outputs are
   * not: their hash says what they are.
   */
  readonly again?: "roots" | "all" | undefined;
  /** What builds took before, by which the longest path is found. */
  readonly durations?: Durations;
}

/** Whether an output can be had elsewhere. */
export type Ask<Requirements> = (
  derivation: InstantiatedDerivation,
  output: string,
) => Effect.Effect<Offer | undefined, never, Requirements>;

/** How many questions to the store are open at once, and to others. */
const concurrency = 64;
const askConcurrency = 8;

/**
 * Searches from the roots for what is not in the store. The inputs of what is there are not even looked at:
 * so a plan is as large as what is left to do, and what was only needed for building may be gone.
 *
 * @param ask is asked for what is not in the store; nobody is by default. What somebody has is as good as there
 */
export const makePlan = Effect.fnUntraced(function* <Requirements = never>(
  instantiation: Instantiation,
  roots: readonly Derivation[],
  { again, durations = new Map() }: PlanOptions = {},
  ask: Ask<Requirements> = () => Effect.succeed(undefined),
): Effect.fn.Return<Plan, StoreError, Store | Requirements> {
  const store = yield* Store;
  const wanted = new Map<DerivationPath, Set<string>>();
  const realised = new Map<DerivationPath, Map<string, StorePath>>();
  const missing = new Set<InstantiatedDerivation>();
  const incomplete = new Set<InstantiatedDerivation>();
  const offered = new Map<InstantiatedDerivation, Offer[]>();
  let wave: Wanted[] = [];

  const want = (derivation: InstantiatedDerivation | undefined, outputs: Iterable<string>): void => {
    if (derivation === undefined) throw new TypeError("a derivation of the plan is not instantiated");
    const known = wanted.get(derivation.path) ?? new Set();
    wanted.set(derivation.path, known);
    for (const output of outputs) {
      if (known.has(output)) continue;
      known.add(output);
      wave.push({ derivation, output });
    }
  };

  const rootDerivations = new Set(roots.map((root) => instantiation.derivations.get(root)));
  const isAgain = (derivation: InstantiatedDerivation): boolean =>
    again === "all"
      ? fixedOutputOf(derivation.store) === undefined
      : again === "roots" && rootDerivations.has(derivation);
  for (const root of roots) want(instantiation.derivations.get(root), root.outputs);
  while (wave.length > 0) {
    const looked = wave;
    wave = [];
    const paths = yield* Effect.forEach(
      looked,
      ({ derivation, output }) => realisedOutput(store, derivation.store, derivation.hashModulo, output),
      { concurrency },
    );
    const absent = looked.filter((_, index) => paths[index] === undefined);
    const answers = yield* Effect.forEach(absent, ({ derivation, output }) => ask(derivation, output), {
      concurrency: askConcurrency,
    });
    const answered = new Map(absent.map((wanted, index) => [wanted, answers[index]]));
    for (const [index, wanted] of looked.entries()) {
      const { derivation, output } = wanted;
      const path = paths[index];
      const offer = answered.get(wanted);
      if (offer !== undefined) {
        const offers = offered.get(derivation) ?? [];
        offered.set(derivation, [...offers, offer]);
        continue;
      }
      if (path !== undefined) {
        const outputs = realised.get(derivation.path) ?? new Map();
        realised.set(derivation.path, outputs.set(output, path));
      } else {
        incomplete.add(derivation);
      }
      if ((path === undefined || isAgain(derivation)) && !missing.has(derivation)) {
        missing.add(derivation);
        for (const [input, outputs] of derivation.store.inputDerivations)
          want(instantiation.byPath.get(input), outputs);
      }
    }
  }
  const builds = plannedBuilds(instantiation, missing, durations, (derivation) =>
    isAgain(derivation)
      ? { before: incomplete.has(derivation) ? undefined : realised.get(derivation.path) }
      : undefined,
  );
  // A derivation of which one output is missing gives all of them anew.
  for (const { path } of missing) realised.delete(path);
  return { builds, realised, offered: plannedSubstitutions(instantiation, offered, missing) };
});

interface Wanted {
  readonly derivation: InstantiatedDerivation;
  readonly output: string;
}

function plannedBuilds(
  instantiation: Instantiation,
  missing: ReadonlySet<InstantiatedDerivation>,
  durations: Durations,
  againOf: (derivation: InstantiatedDerivation) => PlannedBuild["again"],
): PlannedBuild[] {
  const builds = new Map<DerivationPath, PlannedBuild>();
  // The instantiation's order has inputs before dependents.
  for (const derivation of instantiation.byPath.values()) {
    if (!missing.has(derivation)) continue;
    const inputs = [...derivation.store.inputDerivations.keys()].map((path) => builds.get(path));
    builds.set(derivation.path, {
      derivation,
      again: againOf(derivation),
      inputs: new Set(inputs.filter((input) => input !== undefined)),
      pool: poolOf(derivation.store),
      cost: durations.get(derivation.store.name) ?? unknownDuration(derivation.store),
    });
  }
  return [...builds.values()];
}

/** In the instantiation's order, and without those of which another output has to be built: they give all anew. */
const plannedSubstitutions = (
  { byPath }: Instantiation,
  offered: ReadonlyMap<InstantiatedDerivation, readonly Offer[]>,
  missing: ReadonlySet<InstantiatedDerivation>,
): PlannedSubstitution[] =>
  [...(offered.size === 0 ? [] : byPath.values())].flatMap((derivation) => {
    const offers = offered.get(derivation);
    return offers === undefined || missing.has(derivation) ? [] : [{ derivation, offers }];
  });

/** Milliseconds that something is taken to need that was never built here. */
const unknownDuration = ({ builder }: StoreDerivation): number => (isBuiltin(builder) ? 1000 : 10_000);

/** Downloads wait for the network, everything else for a processor. */
export function poolOf(derivation: StoreDerivation): Pool {
  return isBuiltin(derivation.builder) && fixedOutputOf(derivation) !== undefined ? "fetch" : "build";
}

/** Bytes that a fetching derivation will download: it says so in the variable `size`, where that is known. */
export function downloadSize({ env }: StoreDerivation): number | undefined {
  const size = Number(env.get("size"));
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

/** The valid store path of one output, or undefined if it has to be built. */
export const realisedOutput = (
  { reader, layout }: Store["Service"],
  derivation: StoreDerivation,
  hashModulo: HashModulo,
  output: string,
): Effect.Effect<StorePath | undefined, StoreError> =>
  attempt("look for outputs in", layout.root, () => findOutput(reader, derivation, hashModulo, output));
