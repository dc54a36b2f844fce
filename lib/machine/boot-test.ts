import * as Effect from "effect/Effect";
import { posix } from "node:path";
import type { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { emit, type Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { Assertion } from "./assertion.ts";
import type { AssertionData } from "./assertion-data.ts";
import { assertionFrom } from "./assertions/from-data.ts";
import {
  BootTestFailedError,
  type AssertionFailedError,
  type InvalidAssertionError,
  type MachineError,
  type MachineStartError,
} from "./errors.ts";
import { startMachine, type Machine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import { hostPace, type HostPace } from "./time-limits.ts";

/** A test that boots a machine once and verifies assertions in it, in order. */
export interface BootTest {
  readonly name: string;
  readonly machine: Omit<MachineOptions, "name">;
  readonly assertions: readonly (Assertion | AssertionData)[];
  /** Default: asked of the host. */
  readonly pace?: HostPace;
}

/** What became of one assertion. */
export interface AssertionResult {
  readonly description: string;
  readonly passed: boolean;
  /** Empty when it passed; otherwise expected and actual values and what else helps. */
  readonly detail: string;
  readonly milliseconds: number;
}

/** What became of a boot test that passed. */
export interface BootTestReport {
  readonly name: string;
  readonly results: readonly AssertionResult[];
  /** From the start of QEMU to the first answer of the root shell. */
  readonly shellSeconds: number;
  readonly seconds: number;
  readonly serialLog: string;
}

export type BootTestError = BootTestFailedError | MachineStartError | InvalidAssertionError;

/**
 * Runs a boot test. Every assertion is tried and reported as a `check-result`
 * event, also after one has failed; all failures come together in the error.
 */
export const bootTest = Effect.fnUntraced(function* (
  test: BootTest,
): Effect.fn.Return<BootTestReport, BootTestError, Bubblewrap | Events | FileSystem | Processes> {
  const assertions = yield* Effect.forEach(test.assertions, (assertion) =>
    "run" in assertion ? Effect.succeed(assertion) : assertionFrom(assertion),
  );
  return yield* Effect.scoped(runTest(test, assertions));
});

const runTest = Effect.fnUntraced(function* (test: BootTest, assertions: readonly Assertion[]) {
  const fs = yield* FileSystem;
  const started = performance.now();
  const machine = yield* startMachine({ ...test.machine, name: test.name }, { pace: test.pace ?? hostPace() });

  const results: AssertionResult[] = [];
  let shellSeconds = 0;
  let lost: MachineError | undefined;
  let journal: string | undefined;
  const all: readonly Assertion[] = [
    {
      description: "the machine boots as far as a root shell",
      run: (booting) => Effect.map(booting.connect(), (seconds) => void (shellSeconds = seconds)),
    },
    ...assertions,
  ];
  for (const assertion of all) {
    const { result, error } = yield* tryAssertion(machine, assertion, lost);
    // Without a shell or a machine, nothing that follows can be tried.
    if (error?._tag === "MachineStoppedError" || (error?._tag === "TimeLimitError" && shellSeconds === 0))
      lost ??= error;
    results.push(result);
    yield* emit({
      type: "check-result",
      check: test.name,
      assertion: assertion.description,
      passed: result.passed,
      detail: result.detail,
    });
    // At the first failure, since a later assertion may end the machine.
    if (!result.passed && lost === undefined) journal ??= yield* saveJournal(fs, machine, test.machine.directory);
  }

  const failures = results.filter(({ passed }) => !passed);
  if (failures.length > 0) {
    return yield* new BootTestFailedError({
      test: test.name,
      assertions: results.length,
      failures,
      serialLog: machine.serialLogPath,
      journal,
    });
  }
  const seconds = (performance.now() - started) / 1000;
  return { name: test.name, results, shellSeconds, seconds, serialLog: machine.serialLogPath };
});

const tryAssertion = Effect.fnUntraced(function* (
  machine: Machine,
  assertion: Assertion,
  lost: MachineError | undefined,
) {
  const { description } = assertion;
  if (lost !== undefined) {
    return {
      result: { description, passed: false, detail: "not tried: the machine was lost before", milliseconds: 0 },
      error: undefined,
    };
  }
  const started = performance.now();
  const outcome = yield* Effect.result(assertion.run(machine));
  const milliseconds = Math.round(performance.now() - started);
  const error: AssertionFailedError | MachineError | undefined =
    outcome._tag === "Failure" ? outcome.failure : undefined;
  return {
    result: {
      description,
      passed: error === undefined,
      detail: error?.message ?? "",
      milliseconds,
    } satisfies AssertionResult,
    error,
  };
});

/** Saves the guest's journal beside the serial log; undefined when the guest does not give it. */
const saveJournal = Effect.fnUntraced(function* (fs: FileSystemShape, machine: Machine, directory: string) {
  const path = posix.join(directory, "journal.log");
  return yield* machine.succeed("journalctl --boot --no-pager --output=short-monotonic --lines=5000").pipe(
    Effect.flatMap((text) => Effect.tryPromise(() => fs.promises.writeFile(path, text))),
    Effect.as(path),
    Effect.orElseSucceed(() => undefined),
  );
});
