import * as Effect from "effect/Effect";
import { printAterm } from "#lib/derivations/aterm.ts";
import { hashModulo, type HashModulo, realisationKey } from "#lib/derivations/hash-modulo.ts";
import type { InstantiatedDerivation } from "#lib/derivations/instantiate.ts";
import { resolve } from "#lib/derivations/resolve.ts";
import { derivationPath, knownOutputPath, type StoreDerivation } from "#lib/derivations/store-derivation.ts";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import { Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import type { Builtins } from "./builtin.ts";
import type { RealisationError } from "./errors.ts";
import { buildOutputs } from "./build-outputs.ts";
import { withLock } from "./lock.ts";
import { poolOf, realisedOutput } from "./plan.ts";
import type { Session } from "./session.ts";
import type { SubstitutionServices } from "./substituter.ts";

/** A derivation without input derivations, and what follows from it. */
export interface ResolvedDerivation {
  readonly path: DerivationPath;
  readonly store: StoreDerivation;
  /** The `.drv` file. */
  readonly text: string;
  readonly hashModulo: HashModulo;
  /** The derivation that it came from: what the user's evaluation gave. */
  readonly original: DerivationPath;
}

/** How a derivation came to its outputs. */
export type RealisationOutcome = "built" | "cut-off";

/**
 * Gives one derivation its outputs, after its inputs have theirs. Many do not have to be built even though they
 * changed: if what they resolve to was built before, here or by another process, that is the result.
 */
export const realise = Effect.fnUntraced(function* (
  derivation: InstantiatedDerivation,
  session: Session,
): Effect.fn.Return<RealisationOutcome, RealisationError, Store | FileSystem | Processes | Events | Builtins> {
  const store = yield* Store;
  const events = yield* Events;
  const started = performance.now();
  const { path, store: original } = derivation;
  const pool = poolOf(original);
  const resolved = resolveDerivation(derivation, session.outputs);

  const realised = Effect.gen(function* () {
    const before = yield* realisedOutputs(store, resolved);
    if (before !== undefined) return { outputs: before, outcome: "cut-off" as const };
    // The caches were asked for the original already. Whoever filled them may have come to the same inputs differently.
    const substituted = resolved.path === path ? undefined : yield* substitutedOutputs(session, resolved);
    if (substituted !== undefined) return { outputs: substituted, outcome: "cut-off" as const };
    yield* addDerivation(resolved, session);
    // Somebody else may be building it: wait for them, and then take what they made.
    const locked = Effect.gen(function* () {
      const meanwhile = yield* realisedOutputs(store, resolved);
      if (meanwhile !== undefined) return { outputs: meanwhile, outcome: "cut-off" as const };
      events.emit({ type: "build-started", derivation: path, name: original.name, pool });
      const outputs = yield* buildOutputs(resolved, session);
      yield* addRealisations(store, resolved.store, resolved.hashModulo, outputs);
      return { outputs, outcome: "built" as const };
    });
    return yield* withLock(resolved.path, `builds ${original.name}`, locked);
  });
  const attempt = Effect.tap(realised, ({ outputs }) =>
    resolved.path === path ? Effect.void : addRealisations(store, original, derivation.hashModulo, outputs),
  );
  const finish = (outcome: RealisationOutcome | "failed"): void =>
    events.emit({
      type: "build-finished",
      derivation: path,
      name: original.name,
      pool,
      outcome,
      milliseconds: Math.round(performance.now() - started),
    });

  const { outputs, outcome } = yield* Effect.tapError(attempt, () => Effect.sync(() => finish("failed")));
  session.outputs.set(path, outputs);
  finish(outcome);
  return outcome;
});

/** Brings a derivation and its sources into the store: what was built, and from what, can be asked afterwards. */
export const addDerivation = Effect.fnUntraced(function* (
  { store: derivation, text }: ResolvedDerivation,
  session: Session,
): Effect.fn.Return<void, StoreError, Store> {
  const store = yield* Store;
  for (const input of derivation.inputSources) yield* session.addInput(input);
  yield* store.addText(`${derivation.name}.drv`, text, derivation.inputSources);
});

/** Replaces the inputs of a derivation by their outputs. */
export function resolveDerivation(
  { path, store, text, hashModulo: hash }: InstantiatedDerivation,
  outputs: Session["outputs"],
): ResolvedDerivation {
  if (store.inputDerivations.size === 0) return { path, store, text, hashModulo: hash, original: path };
  const resolved = resolve(store, outputs);
  const resolvedText = printAterm(resolved);
  return {
    path: derivationPath(resolved, resolvedText),
    store: resolved,
    text: resolvedText,
    // It has no input derivations, so nothing is asked for.
    hashModulo: hashModulo(resolved, () => "", resolvedText),
    original: path,
  };
}

/** The valid paths of all outputs, or undefined if one is missing. */
const realisedOutputs = Effect.fnUntraced(function* (
  store: Store["Service"],
  { store: derivation, hashModulo }: ResolvedDerivation,
): Effect.fn.Return<ReadonlyMap<string, StorePath> | undefined, StoreError> {
  const outputs = new Map<string, StorePath>();
  for (const name of derivation.outputs.keys()) {
    const path = yield* realisedOutput(store, derivation, hashModulo, name);
    if (path === undefined) return undefined;
    outputs.set(name, path);
  }
  return outputs;
});

/** Takes all outputs of a resolved derivation out of the caches; undefined if one is not to be had. */
const substitutedOutputs = Effect.fnUntraced(function* (
  session: Session,
  resolved: ResolvedDerivation,
): Effect.fn.Return<ReadonlyMap<string, StorePath> | undefined, never, SubstitutionServices> {
  const substituter = yield* session.substituter;
  // A path that is known did not change by resolving.
  const floating = [...resolved.store.outputs].every(([, output]) => knownOutputPath(output) === undefined);
  if (substituter === undefined || !floating) return undefined;
  const outputs = new Map<string, StorePath>();
  for (const name of resolved.store.outputs.keys()) {
    const path = yield* substituter.take(resolved, name);
    if (path === undefined) return undefined;
    outputs.set(name, path);
  }
  return outputs;
});

/** Remembers which content the floating outputs came to. */
const addRealisations = Effect.fnUntraced(function* (
  store: Store["Service"],
  derivation: StoreDerivation,
  hash: HashModulo,
  outputs: ReadonlyMap<string, StorePath>,
): Effect.fn.Return<void, StoreError> {
  for (const [name, path] of outputs) {
    const specification = derivation.outputs.get(name);
    if (specification === undefined || knownOutputPath(specification) !== undefined) continue;
    yield* store.addRealisation({ key: realisationKey(hash, name), path });
  }
});
