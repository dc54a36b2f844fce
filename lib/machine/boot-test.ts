import * as Effect from "effect/Effect";
import { posix } from "node:path";
import type { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import type { Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { Assertion } from "./assertion.ts";
import type { AssertionData, PersistentData } from "./assertion-data.ts";
import { assertionFrom } from "./assertions/from-data.ts";
import { makeBootRecord, type AssertionResult, type BootRecord } from "./boot-record.ts";
import { BootTestFailedError, type InvalidAssertionError, type MachineStartError } from "./errors.ts";
import { askBootTiming, type BootTiming } from "./boot-timing.ts";
import { startMachine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import { makeOverlay } from "./overlay.ts";
import { persistence } from "./persistence.ts";
import { powerCutCredentials, powerCutMark, type PowerCutData, type PowerCutSeriesData } from "./power-cut.ts";
import { hostPace, type HostPace } from "./time-limits.ts";

/** A test that boots a machine, once or several times, and verifies assertions in it, in order. */
export interface BootTest {
  readonly name: string;
  readonly machine: Omit<MachineOptions, "name" | "overlay">;
  /** Size of the disk, at least the image's; by default as large as the image. */
  readonly diskMiB?: number | undefined;
  readonly assertions: readonly (Assertion | AssertionData)[];
  /** What is verified after a reboot with the same disk; without it there is none. */
  readonly reboot?: {
    readonly persistent: readonly PersistentData[];
    readonly assertions: readonly (Assertion | AssertionData)[];
  };
  /** Each on a disk of its own: boots in a row that end by a power cut, and one after them. */
  readonly powerCuts?: readonly PowerCutSeriesData[];
  /** Default: asked of the host. */
  readonly pace?: HostPace;
}

/** One boot of a boot test. */
export interface BootReport {
  /** From the start of QEMU to the first answer of the root shell. */
  readonly shellSeconds: number;
  /** The whole boot, with its assertions. */
  readonly seconds: number;
  /** How long the guest took until it was up; undefined when it was not, or not asked, as before a power cut. */
  readonly timing: BootTiming | undefined;
  readonly serialLog: string;
}

/** What became of a boot test that passed. */
export interface BootTestReport {
  readonly name: string;
  readonly results: readonly AssertionResult[];
  readonly boots: readonly BootReport[];
  readonly seconds: number;
}

export type BootTestError = BootTestFailedError | MachineStartError | InvalidAssertionError;

/**
 * Runs a boot test. Every assertion is tried and reported as a `check-result`
 * event, also after one has failed; all failures come together in the error.
 */
export const bootTest = Effect.fnUntraced(function* (
  test: BootTest,
): Effect.fn.Return<BootTestReport, BootTestError, Bubblewrap | Events | FileSystem | Processes> {
  // Before anything starts, so that a pattern which is none costs no boot.
  const assertions = yield* Effect.forEach(test.assertions, runnable);
  const afterwards = yield* Effect.forEach(test.reboot?.assertions ?? [], runnable);
  const series = yield* Effect.forEach(test.powerCuts ?? [], ({ cuts, assertions }) =>
    Effect.map(Effect.forEach(assertions, runnable), (sane) => ({ cuts, sane })),
  );
  return yield* Effect.scoped(runTest(test, assertions, afterwards, series));
});

const runnable = (assertion: Assertion | AssertionData) =>
  "run" in assertion ? Effect.succeed(assertion) : assertionFrom(assertion);

const runTest = Effect.fnUntraced(function* (
  test: BootTest,
  assertions: readonly Assertion[],
  afterwards: readonly Assertion[],
  series: readonly PowerCutSeries[],
) {
  const started = performance.now();
  const record = yield* makeBootRecord(test.name);
  const boots: BootReport[] = [];
  const { directory } = test.machine;
  if (test.reboot === undefined && test.diskMiB === undefined) {
    boots.push(yield* Effect.scoped(boot(test, record, test.machine, assertions)));
  } else {
    const overlay = yield* makeOverlay({ ...test.machine, name: test.name, sizeMiB: test.diskMiB });
    const machine = (name: string) => ({ ...test.machine, overlay, directory: posix.join(directory, name) });
    const kept = persistence(test.reboot?.persistent ?? []);
    const last = test.reboot === undefined ? [] : [...kept.before, reboot];
    boots.push(yield* Effect.scoped(boot(test, record, machine("first-boot"), [...assertions, ...last])));
    if (test.reboot !== undefined) {
      const again = [kept.anew, ...afterwards, ...kept.after].map(afterTheReboot);
      boots.push(yield* Effect.scoped(boot(test, record, machine("second-boot"), again, afterTheReboot)));
    }
  }
  for (const [index, each] of series.entries()) {
    boots.push(
      ...(yield* Effect.scoped(runSeries(test, record, posix.join(directory, `power-cuts-${index + 1}`), each))),
    );
  }
  const failures = record.results.filter(({ passed }) => !passed);
  if (failures.length > 0) {
    return yield* new BootTestFailedError({
      test: test.name,
      assertions: record.results.length,
      failures,
      serialLogs: boots.map(({ serialLog }) => serialLog),
      journals: record.journals,
    });
  }
  return { name: test.name, results: record.results, boots, seconds: (performance.now() - started) / 1000 };
});

/** The last assertion before the second boot, since it ends the first machine. */
const reboot: Assertion = { description: "the machine reboots when it is told to", run: (machine) => machine.reboot() };

const afterTheReboot = ({ description, run }: Assertion): Assertion => ({
  description: `after the reboot: ${description}`,
  run,
});

interface PowerCutSeries {
  readonly cuts: readonly PowerCutData[];
  readonly sane: readonly Assertion[];
}

const runSeries = Effect.fnUntraced(function* (
  test: BootTest,
  record: BootRecord,
  directory: string,
  { cuts, sane }: PowerCutSeries,
) {
  const boots: BootReport[] = [];
  const overlay = yield* makeOverlay({ ...test.machine, name: test.name, sizeMiB: test.diskMiB });
  const machine = (name: string) => ({
    ...test.machine,
    overlay,
    flushes: true,
    directory: posix.join(directory, name),
  });
  for (const [index, cut] of cuts.entries()) {
    boots.push(yield* Effect.scoped(bootUntil(cut, test, record, machine(`cut-${index + 1}`))));
  }
  const assertions = sane.map(afterPowerCuts);
  boots.push(yield* Effect.scoped(boot(test, record, machine("afterwards"), assertions, afterPowerCuts)));
  return boots;
});

const afterPowerCuts = ({ description, run }: Assertion): Assertion => ({
  description: `after the power cuts: ${description}`,
  run,
});

/** Boots as far as a power cut, and kills the machine there. */
const bootUntil = Effect.fnUntraced(function* (
  cut: PowerCutData,
  test: BootTest,
  record: BootRecord,
  options: Omit<MachineOptions, "name">,
) {
  const started = performance.now();
  const assertion: Assertion = {
    description: `the power fails ${cut.description}`,
    run: (machine) => machine.waitForConsole(powerCutMark),
  };
  const report = (): BootReport => ({
    shellSeconds: 0,
    seconds: (performance.now() - started) / 1000,
    serialLog: posix.join(options.directory, "serial.log"),
    timing: undefined,
  });
  if (record.isLost()) {
    yield* record.skip([assertion]);
    return report();
  }
  const credentials = [...(options.credentials ?? []), ...powerCutCredentials(cut)];
  const pace = test.pace ?? hostPace();
  const machine = yield* startMachine({ ...options, credentials, name: test.name }, { pace });
  yield* record.verify(machine, options.directory, assertion, { essential: true });
  return report();
});

const boot = Effect.fnUntraced(function* (
  test: BootTest,
  record: BootRecord,
  options: Omit<MachineOptions, "name">,
  assertions: readonly Assertion[],
  described: (assertion: Assertion) => Assertion = (assertion) => assertion,
) {
  const started = performance.now();
  let shellSeconds = 0;
  let timing: BootTiming | undefined;
  const elapsed = () => (performance.now() - started) / 1000;
  const connect = described({
    description: "the machine boots as far as a root shell",
    run: (booting) => Effect.map(booting.connect(), (seconds) => void (shellSeconds = seconds)),
  });
  const serialLog = posix.join(options.directory, "serial.log");
  const report = (): BootReport => ({ shellSeconds, seconds: elapsed(), serialLog, timing });
  // After a machine was lost, another start would prove nothing; what it would have verified is reported all the same.
  if (record.isLost()) {
    yield* record.skip([connect, ...assertions]);
    return report();
  }
  const machine = yield* startMachine({ ...options, name: test.name }, { pace: test.pace ?? hostPace() });
  yield* record.verify(machine, options.directory, connect, { essential: true });
  for (const assertion of assertions) {
    if (assertion === reboot && !record.isLost()) timing = yield* askBootTiming(machine, elapsed);
    yield* record.verify(machine, options.directory, assertion, { essential: assertion === reboot });
  }
  if (assertions.at(-1) !== reboot && !record.isLost()) timing = yield* askBootTiming(machine, elapsed);
  return report();
});
