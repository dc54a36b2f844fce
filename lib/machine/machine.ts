import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { ExitStatus, Processes } from "#lib/platform/processes.ts";
import {
  CommandFailedError,
  MachineStoppedError,
  ShellProtocolError,
  TimeLimitError,
  type MachineError,
  type MachineStartError,
} from "./errors.ts";
import type { MachineOptions } from "./options.ts";
import { startQemu, type Qemu } from "./qemu.ts";
import type { Qmp } from "./qmp.ts";
import { printable, serialExcerpt } from "./serial-log.ts";
import { makeShell, type CommandResult, type Shell, type ShellFailure } from "./shell.ts";
import { shellQuote } from "./shell-protocol.ts";
import { timeLimits, type HostPace, type TimeLimits } from "./time-limits.ts";
import { waitForUnit } from "./units.ts";

/** How long something may take, in seconds on a quiet host; slow hosts get more, up to a fixed bound. */
export interface Limit {
  readonly timeout?: number;
}

/** A running machine, driven through its root shell. */
export interface Machine {
  readonly name: string;
  /** Waits for the root shell and returns the seconds that it took; every other method needs it. Default limit 60. */
  readonly connect: (limit?: Limit) => Effect.Effect<number, MachineError>;
  /** Runs a command, whatever its exit status. Default limit 30. */
  readonly run: (command: string, limit?: Limit) => Effect.Effect<CommandResult, MachineError>;
  /** Runs a command that must end with status 0, and returns its standard output. */
  readonly succeed: (command: string, limit?: Limit) => Effect.Effect<string, MachineError>;
  /** Runs a command that must end with another status than 0, and returns its standard output. */
  readonly fail: (command: string, limit?: Limit) => Effect.Effect<string, MachineError>;
  /** Repeats a command until it ends with status 0, and returns its standard output. Default limit 60. */
  readonly waitUntilSucceeds: (command: string, limit?: Limit) => Effect.Effect<string, MachineError>;
  /** Waits until a unit is active; fails at once when it cannot become so. Default limit 60. */
  readonly waitForUnit: (unit: string, limit?: Limit) => Effect.Effect<void, MachineError>;
  /** Reads a text file of the guest. */
  readonly readFile: (path: string) => Effect.Effect<string, MachineError>;
  /** The seconds that a nominal limit comes to on this host. */
  readonly seconds: (nominal: number) => number;
  /** Waits for a text on the serial console, looking often. Default limit 60. */
  readonly waitForConsole: (text: string, limit?: Limit) => Effect.Effect<void, MachineError>;
  /** All that has come over the serial console, free of control characters. */
  readonly serialLog: Effect.Effect<string>;
  readonly serialLogPath: string;
  /** QEMU's monitor, for tests that pull cables; undefined until it is connected. */
  readonly monitor: () => Qmp | undefined;
  /** Powers the guest off and waits until QEMU has ended. Default limit 30. */
  readonly shutdown: (limit?: Limit) => Effect.Effect<void, MachineError>;
  /** Reboots the guest and waits until it has reset the machine, which ends QEMU: another machine goes on with its disk. Default limit 30. */
  readonly reboot: (limit?: Limit) => Effect.Effect<void, MachineError>;
}

/** How a guest ends a machine, and what QEMU then gives as its reason. */
const endings = {
  poweroff: { awaited: "the guest to power off", reason: "guest-shutdown" },
  reboot: { awaited: "the guest to reboot", reason: "guest-reset" },
} as const;

/** What a machine is told of its host. */
export interface MachineContext {
  readonly pace: HostPace;
}

/** Starts a machine; the end of the scope kills it. */
export const startMachine = Effect.fnUntraced(function* (
  options: MachineOptions,
  context: MachineContext,
): Effect.fn.Return<Machine, MachineStartError, Bubblewrap | FileSystem | Processes | Scope.Scope> {
  const fs = yield* FileSystem;
  const qemu = yield* startQemu(options, timeLimits(context.pace));
  const shell = yield* makeShell(qemu.channel);
  return makeMachine(options.name, fs, qemu, shell, context.pace);
});

function makeMachine(name: string, fs: FileSystem["Service"], qemu: Qemu, shell: Shell, pace: HostPace): Machine {
  const started = performance.now();
  let limits: TimeLimits = timeLimits(pace);

  /** Says where the machine stood when it did not do what was awaited. */
  const explain = Effect.fnUntraced(function* (failure: ShellFailure, awaited: string) {
    switch (failure._tag) {
      case "ShellDamaged":
        return yield* new ShellProtocolError({ machine: name, problem: failure.problem });
      case "ShellTimeout":
        return yield* new TimeLimitError({
          machine: name,
          awaited,
          seconds: failure.seconds,
          detail: undefined,
          serial: yield* serialExcerpt(fs, qemu.serialLog),
        });
      case "ShellClosed": {
        // The pipe closes a moment before QEMU's end, and the reason for it, are known.
        const exit = yield* Effect.timeoutOrElse(qemu.exit, { duration: 2000, orElse: () => Effect.undefined });
        return yield* stopped(awaited, exit, qemu.monitor.qmp?.stopReason());
      }
    }
  });

  const stopped = Effect.fnUntraced(function* (
    awaited: string,
    exit: ExitStatus | undefined,
    reason: string | undefined,
  ) {
    const serial = yield* serialExcerpt(fs, qemu.serialLog);
    return yield* new MachineStoppedError({ machine: name, awaited, exit, reason, stderr: qemu.stderr(), serial });
  });

  const run: Machine["run"] = (command, limit) =>
    shell
      .run(command, limits.seconds(limit?.timeout ?? 30))
      .pipe(Effect.catch((failure) => explain(failure, `the command: ${abbreviate(command)}`)));

  const expectStatus = Effect.fnUntraced(function* (
    command: string,
    expected: "success" | "failure",
    limit: Limit | undefined,
  ) {
    const result = yield* run(command, limit);
    if ((result.status === 0) === (expected === "success")) return result.stdout;
    return yield* new CommandFailedError({ machine: name, command, expected, ...result });
  });

  const timeLimit = Effect.fnUntraced(function* (awaited: string, seconds: number, detail: string | undefined) {
    const serial = yield* serialExcerpt(fs, qemu.serialLog);
    return yield* new TimeLimitError({ machine: name, awaited, seconds, detail, serial });
  });

  const poll = Effect.fnUntraced(function* <A, E>(
    awaited: string,
    limit: Limit | undefined,
    attempt: Effect.Effect<
      { readonly done: true; readonly value: A } | { readonly done: false; readonly detail: string },
      E
    >,
  ) {
    const seconds = limits.seconds(limit?.timeout ?? 60);
    const end = performance.now() + seconds * 1000;
    for (let pause = 250; ; pause = Math.min(1500, pause * 1.5)) {
      const outcome = yield* attempt;
      if (outcome.done) return outcome.value;
      if (performance.now() + pause >= end) return yield* timeLimit(awaited, seconds, outcome.detail);
      yield* Effect.sleep(pause);
    }
  });

  /** Ends the machine from within. Only QEMU's end counts, and that it came about as it was to: a panic resets a machine too. */
  const leave = Effect.fnUntraced(function* (verb: keyof typeof endings, limit: Limit | undefined) {
    const seconds = limits.seconds(limit?.timeout ?? 30);
    const { awaited, reason } = endings[verb];
    // The shell is stopped with everything else, so its answer is not waited for.
    const exit = yield* Effect.raceFirst(
      Effect.andThen(Effect.exit(shell.run(`systemctl ${verb}`, seconds)), Effect.never),
      qemu.exit,
    ).pipe(
      Effect.timeoutOrElse({
        duration: seconds * 1000,
        orElse: () => timeLimit(awaited, seconds, undefined),
      }),
    );
    const given = qemu.monitor.qmp?.stopReason();
    const panicked = (yield* serialLog).includes("Kernel panic - not syncing");
    if (exit.code === 0 && (given ?? reason) === reason && !panicked) return;
    return yield* stopped(awaited, exit, panicked ? "guest-panic" : given);
  });

  const serialLog = Effect.promise(() => fs.promises.readFile(qemu.serialLog, "utf8").then(printable, () => ""));

  return {
    name,
    seconds: (nominal) => limits.seconds(nominal),
    serialLogPath: qemu.serialLog,
    monitor: () => qemu.monitor.qmp,
    serialLog,
    run,
    succeed: (command, limit) => expectStatus(command, "success", limit),
    fail: (command, limit) => expectStatus(command, "failure", limit),
    readFile: (path) => expectStatus(`cat -- ${shellQuote(path)}`, "success", undefined),
    connect: Effect.fnUntraced(function* (limit?: Limit) {
      yield* shell
        .connect(limits.seconds(limit?.timeout ?? 60))
        .pipe(Effect.catch((failure) => explain(failure, "the root shell")));
      const seconds = (performance.now() - started) / 1000;
      limits = timeLimits({ ...pace, shellSeconds: seconds });
      return seconds;
    }),
    waitUntilSucceeds: (command, limit) =>
      poll(
        `the command to succeed: ${abbreviate(command)}`,
        limit,
        Effect.map(run(command, limit), (result) =>
          result.status === 0
            ? { done: true as const, value: result.stdout }
            : { done: false as const, detail: describeResult(result) },
        ),
      ),
    waitForUnit: (unit, limit) => poll(`unit ${unit} to become active`, limit, waitForUnit(name, run, unit)),
    waitForConsole: Effect.fnUntraced(function* (text: string, limit?: Limit) {
      const seconds = limits.seconds(limit?.timeout ?? 60);
      const awaited = `'${text}' on the serial console`;
      const end = performance.now() + seconds * 1000;
      while (!(yield* serialLog).includes(text)) {
        const exit = qemu.exited();
        if (exit !== undefined) return yield* stopped(awaited, exit, qemu.monitor.qmp?.stopReason());
        if (performance.now() >= end) return yield* timeLimit(awaited, seconds, undefined);
        yield* Effect.sleep(25);
      }
    }),
    shutdown: (limit) => leave("poweroff", limit),
    reboot: (limit) => leave("reboot", limit),
  };
}

function abbreviate(command: string): string {
  const line = command.trim().replaceAll(/\s+/g, " ");
  return line.length <= 100 ? line : `${line.slice(0, 97)}...`;
}

function describeResult({ status, stdout, stderr }: CommandResult): string {
  const output = `${stdout}${stderr}`.trim();
  return `its last exit status was ${status}${output === "" ? "" : `, its last output:\n${output.slice(-2000)}`}`;
}
