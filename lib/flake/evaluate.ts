import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { join } from "node:path";
import { EvaluationError, renderError } from "#lib/evaluator/index.ts";
import { emit } from "#lib/platform/events.ts";
import { type Configuration, recordConfigurations } from "./configuration.ts";
import type { FlakeOutputs, LocatedFlake } from "./flake.ts";
import { type GivenInputs, inputProblems, InvalidInputs } from "./given-inputs.ts";
import { writeLock, readLock } from "./lock-file.ts";
import { requireLocked, resolveMissing } from "./lock-update.ts";
import { systemConfig } from "./system-config.ts";
import { systemWarnings, type WarningScope } from "./system-warnings.ts";
import { type EnvironmentRequest, type Lock, type LockView, viewLock } from "./lock.ts";
import { discoverMirrors } from "./mirrors.ts";

/** How commands treat the lock file. */
export interface LockPolicy {
  /** Never resolve anything: what is not pinned, or no longer to be had, is an error. */
  readonly locked: boolean;
}

/** How a flake is evaluated. */
export interface EvaluationPolicy extends LockPolicy {
  /** Values of inputs: `--set`. */
  readonly set?: GivenInputs["set"];
  /** Whether configuration files may have what Gaia accepted without a word. */
  readonly legacy?: boolean;
  /** The systems whose warnings are told; none by default. */
  readonly warnAbout?: WarningScope;
}

/** What came of evaluating a flake. */
export interface Evaluation<A> {
  readonly value: A;
  readonly lock: Lock;
  /** The environments that the evaluation asked for. */
  readonly requested: ReadonlyMap<string, EnvironmentRequest>;
}

/** The flake's own code failed: a module, a profile, an option, a recipe. */
export class EvaluationFailed extends Data.TaggedError("EvaluationFailed")<{ readonly cause: unknown }> {
  override get message(): string {
    const causes = this.cause instanceof AggregateError ? (this.cause.errors as readonly unknown[]) : [this.cause];
    return causes.map(describeCause).join("\n\n");
  }
}

function describeCause(cause: unknown): string {
  if (cause instanceof EvaluationError) return renderError(cause);
  return cause instanceof Error ? cause.message : String(cause);
}

/** Where a flake's lock file is. */
export const lockFile = (flake: LocatedFlake): string => join(flake.directory, "flake.lock");

/**
 * Evaluates the part of a flake's outputs that `select` reads; see
 * `evaluateLocked`. Warnings of the configuration files that it asks for are
 * told, and those that the policy names.
 */
export const evaluateFlake = Effect.fnUntraced(function* <A, E>(
  flake: LocatedFlake,
  policy: EvaluationPolicy,
  select: (outputs: FlakeOutputs) => Result.Result<A, E>,
) {
  const evaluation = yield* evaluateLocked(flake, policy, (lock) => {
    const { outputs, made } = recordConfigurations(outputsOf(flake, lock, policy));
    return Result.map(selectChecked(outputs, made, policy, select), (value) => ({
      value,
      warnings: [...systemWarnings(outputs, policy.warnAbout ?? []), ...warningsOf(made)],
    }));
  });
  for (const message of evaluation.value.warnings) yield* emit({ type: "warning", message });
  return { ...evaluation, value: evaluation.value.value } satisfies Evaluation<A>;
});

/** Selects, and says what is wrong with `--set` first: what fails may have failed for that. */
function selectChecked<A, E>(
  outputs: FlakeOutputs,
  made: ReadonlyMap<string, Configuration>,
  { set = {} }: EvaluationPolicy,
  select: (outputs: FlakeOutputs) => Result.Result<A, E>,
): Result.Result<A, E | InvalidInputs> {
  const attempt = Result.try({ try: () => select(outputs), catch: (cause) => new EvaluationFailed({ cause }) });
  const systems = Object.fromEntries([...made].map(([file, { system }]) => [file, system]));
  const problems = inputProblems({ systems: { ...outputs.systems, ...systems } }, set);
  if (problems.length > 0) return Result.fail(new InvalidInputs({ problems }));
  if (Result.isFailure(attempt)) throw attempt.failure.cause;
  return attempt.success;
}

function warningsOf(made: ReadonlyMap<string, Configuration>): readonly string[] {
  return [...made.values()].flatMap(({ system }) => systemConfig(system).warnings ?? []);
}

/** A flake's outputs for one lock. */
export function outputsOf(flake: LocatedFlake, lock: LockView, policy: Partial<EvaluationPolicy> = {}): FlakeOutputs {
  const { set = {}, legacy = false } = policy;
  return flake.outputs({ lock, directory: flake.directory, given: { set, environment: process.env }, legacy });
}

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
