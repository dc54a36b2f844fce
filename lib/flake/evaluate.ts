import "#lib/platform/source-files.ts";
import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { emit } from "#lib/platform/events.ts";
import type { FlakeOutputs, LocatedFlake } from "./flake.ts";
import { writeLock, readLock } from "./lock-file.ts";
import { requireLocked, resolveMissing } from "./lock-update.ts";
import { type LockView, viewLock } from "./lock.ts";
import { discoverMirrors } from "./mirrors.ts";
import {
  type CheckedOutputs,
  type Evaluation,
  EvaluationFailed,
  type EvaluationPolicy,
  lockFile,
  type LockPolicy,
  selectOutputs,
} from "./outputs.ts";

/**
 * Evaluates the part of a flake's outputs that `select` reads; see
 * `evaluateLocked`. Warnings of the configuration files that it asks for are
 * told, and those that the policy names.
 *
 * @param before what was evaluated already, in the same way
 */
export const evaluateFlake = Effect.fnUntraced(function* <A, E>(
  flake: LocatedFlake,
  policy: EvaluationPolicy,
  select: (outputs: FlakeOutputs) => Result.Result<A, E>,
  before?: Evaluation<CheckedOutputs<A>>,
) {
  const evaluating = evaluateLocked(flake, policy, (lock) => selectOutputs(flake, lock, policy, select));
  const evaluation = before ?? (yield* evaluating);
  for (const message of evaluation.value.warnings) yield* emit({ type: "warning", message });
  return { ...evaluation, value: evaluation.value.value } satisfies Evaluation<A>;
});

/**
 * Computes something from a flake's lock.
 *
 * When that asks for Debian packages that are not pinned, they are resolved,
 * the lock is written, and it is computed again. What `compute` throws becomes
 * EvaluationFailed; its own expected failures it returns.
 */
export const evaluateLocked = Effect.fnUntraced(function* <A, E>(
  flake: LocatedFlake,
  policy: LockPolicy,
  compute: (lock: LockView) => Result.Result<A, E>,
) {
  const file = lockFile(flake);
  let lock = yield* readLock(file);
  const answered = new Set<string>();
  while (true) {
    const view = viewLock(lock);
    const computed = Result.try({ try: () => compute(view), catch: (cause) => new EvaluationFailed({ cause }) });
    const attempt: Result.Result<A, E | EvaluationFailed> = Result.isSuccess(computed)
      ? computed.success
      : Result.fail(computed.failure);
    const missing = new Map([...view.missing].filter(([name]) => !answered.has(name)));
    if (missing.size === 0) {
      const value = yield* Effect.fromResult(attempt);
      return { value, lock, requested: view.requested } satisfies Evaluation<A>;
    }
    // What failed may have failed for want of packages, so it is tried again with them.
    if (policy.locked) yield* requireLocked(file, missing);
    const mirrors = yield* discoverMirrors(flake.inputs.debian);
    ({ lock } = yield* resolveMissing(lock, missing, { mirrors }));
    yield* writeLock(file, lock);
    for (const name of missing.keys()) answered.add(name);
  }
});
