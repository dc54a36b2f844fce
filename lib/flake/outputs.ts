import * as Data from "effect/Data";
import * as Result from "effect/Result";
import { join } from "node:path";
import { EvaluationError, renderError } from "#lib/evaluator/index.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { type Configuration, recordConfigurations } from "./configuration.ts";
import type { FlakeOutputs, LocatedFlake } from "./flake.ts";
import { type GivenInputs, inputProblems, InvalidInputs } from "./given-inputs.ts";
import { emptyLock, type EnvironmentRequest, type Lock, type LockView, viewLock } from "./lock.ts";
import { parseLock } from "./lock-parse.ts";
import { systemConfig } from "./system-config.ts";
import { systemWarnings, type WarningScope } from "./system-warnings.ts";

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

/** What came of evaluating a flake. */
export interface Evaluation<A> {
  readonly value: A;
  readonly lock: Lock;
  /** The environments that the evaluation asked for. */
  readonly requested: ReadonlyMap<string, EnvironmentRequest>;
}

/** What was selected of a flake's outputs, and what there is to warn of. */
export interface CheckedOutputs<A> {
  readonly value: A;
  readonly warnings: readonly string[];
}

/** Evaluates the part of a flake's outputs that `select` reads, for one lock. Throws what the flake's own code throws. */
export function selectOutputs<A, E>(
  flake: LocatedFlake,
  lock: LockView,
  policy: EvaluationPolicy,
  select: (outputs: FlakeOutputs) => Result.Result<A, E>,
): Result.Result<CheckedOutputs<A>, E | InvalidInputs> {
  const { outputs, made } = recordConfigurations(outputsOf(flake, lock, policy));
  return Result.map(selectChecked(outputs, made, policy, select), (value) => ({
    value,
    warnings: [...systemWarnings(outputs, policy.warnAbout ?? []), ...warningsOf(made)],
  }));
}

/**
 * The same with the lock file as it is, as plain asynchronous code. Undefined if the lock file is not to be had or has
 * no answer to something, if the flake's own code fails, or what is selected is not there: `evaluateFlake` resolves
 * what is missing, and tells what is wrong.
 */
export async function selectAsLocked<A, E>(
  { promises }: FileSystemShape,
  flake: LocatedFlake,
  policy: EvaluationPolicy,
  select: (outputs: FlakeOutputs) => Result.Result<A, E>,
): Promise<Evaluation<CheckedOutputs<A>> | undefined> {
  const file = lockFile(flake);
  try {
    const bytes = await promises.readFile(file).catch((cause: unknown) => {
      if (errorCode(cause) !== "ENOENT") throw cause;
    });
    const lock = bytes === undefined ? emptyLock : parseLock(file, bytes);
    const view = viewLock(lock);
    const selected = selectOutputs(flake, view, policy, select);
    if (Result.isFailure(selected) || view.missing.size > 0) return undefined;
    return { value: selected.success, lock, requested: view.requested };
  } catch {
    return undefined;
  }
}

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
