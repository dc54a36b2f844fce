import * as Effect from "effect/Effect";
import { expectEqual, mismatch, type Assertion } from "../assertion.ts";
import type { BootedAssertion, HostnameAssertion, UnitActiveAssertion } from "../assertion-data.ts";
import type { Machine } from "../machine.ts";
import { shellQuote } from "../shell-protocol.ts";

/**
 * The boot has ended, and ended well.
 *
 * `is-system-running` is not enough: a unit that was dropped because a dependency
 * timed out leaves the system "running" and no failed unit. systemd notes the
 * outcome of each such job in the journal.
 */
export function booted({ target = "multi-user.target", timeout = 90 }: BootedAssertion): Assertion {
  return {
    description: `${target} is reached and nothing has failed`,
    run: Effect.fnUntraced(function* (machine) {
      // Returns when systemd's job queue is empty, with the state as its output.
      const state = yield* Effect.result(machine.run("systemctl is-system-running --wait", { timeout }));
      if (state._tag === "Failure") {
        if (state.failure._tag !== "TimeLimitError") return yield* state.failure;
        const jobs = yield* machine.run("systemctl list-jobs --no-pager --full");
        return yield* mismatch(
          "the boot to end",
          `jobs still waiting after ${state.failure.seconds.toFixed(0)} s`,
          jobs.stdout,
        );
      }
      const failed = yield* failedUnits(machine);
      if (failed.length > 0)
        return yield* mismatch("no failed unit", failed.join(", "), yield* explainUnits(machine, failed));
      yield* expectEqual("running", state.success.stdout.trim());
      yield* machine.waitForUnit(target);
      const dropped = yield* machine.succeed(
        "journalctl --boot --quiet --no-pager --output=cat JOB_RESULT=dependency JOB_RESULT=timeout",
      );
      if (dropped.trim() !== "") return yield* mismatch("no job to be given up", "given up jobs", dropped);
    }),
  };
}

const failedUnits = (machine: Machine) =>
  Effect.map(machine.succeed("systemctl list-units --failed --plain --no-legend --no-pager --full"), (text) =>
    text.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []),
  );

/** What the guest says about the first few of these units. */
const explainUnits = (machine: Machine, units: readonly string[]) =>
  Effect.map(
    Effect.forEach(units.slice(0, 5), (unit) =>
      machine.run(`systemctl status --no-pager --full --lines=15 -- ${shellQuote(unit)}`),
    ),
    (results) => results.map(({ stdout }) => stdout.trimEnd()).join("\n"),
  );

export function unitActive({ unit, timeout }: UnitActiveAssertion): Assertion {
  return {
    description: `unit ${unit} is active`,
    run: (machine) => machine.waitForUnit(unit, timeout === undefined ? {} : { timeout }),
  };
}

/** The kernel's host name, which is the one that everything uses, and the file that makes it last. */
export function hostname({ hostname }: HostnameAssertion): Assertion {
  return {
    description: `the host name is ${hostname}`,
    run: Effect.fnUntraced(function* (machine) {
      const [kernel, file] = (yield* machine.succeed("cat /proc/sys/kernel/hostname /etc/hostname")).split("\n");
      yield* expectEqual({ kernel: hostname, file: hostname }, { kernel, file });
    }),
  };
}

export function powerOff(): Assertion {
  return { description: "the machine powers itself off", run: (machine) => machine.shutdown() };
}
