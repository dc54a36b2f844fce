import * as Effect from "effect/Effect";
import { expectEqual, mismatch, type Assertion } from "./assertion.ts";
import type { PersistentData } from "./assertion-data.ts";
import type { Machine } from "./machine.ts";

const bootIdentifier = "/proc/sys/kernel/random/boot_id";

/** What is asked before a reboot, and compared after it. */
export interface Persistence {
  readonly before: readonly Assertion[];
  /** Whether there was a reboot at all. */
  readonly anew: Assertion;
  readonly after: readonly Assertion[];
}

/** Remembers, on the host, what commands print before a reboot, and compares it with what they print after it. */
export function persistence(data: readonly PersistentData[]): Persistence {
  const remembered = new Map<PersistentData, string>();
  let bootBefore: string | undefined;
  const ask = ({ command, timeout }: PersistentData, machine: Machine) =>
    machine.run(command, timeout === undefined ? {} : { timeout });

  const remember: Assertion = {
    description: "what is to survive the reboot is there",
    run: Effect.fnUntraced(function* (machine) {
      bootBefore = yield* machine.readFile(bootIdentifier);
      const problems: string[] = [];
      for (const item of data) {
        const { status, stdout, stderr } = yield* ask(item, machine);
        if (status === 0 && stdout.trim() !== "") remembered.set(item, stdout);
        else problems.push(`${item.description}: exit status ${status}, output ${JSON.stringify(stdout)}\n${stderr}`);
      }
      // Nothing is always equal to nothing.
      if (problems.length > 0)
        return yield* mismatch("every command to print something", "failures", problems.join("\n"));
    }),
  };

  const another: Assertion = {
    description: "the kernel has started anew",
    run: Effect.fnUntraced(function* (machine) {
      const now = yield* machine.readFile(bootIdentifier);
      if (bootBefore === undefined || now === bootBefore)
        return yield* mismatch("another boot identifier", JSON.stringify(now), `before: ${JSON.stringify(bootBefore)}`);
    }),
  };

  const compare = (item: PersistentData): Assertion => ({
    description: `${item.description} is as before`,
    run: Effect.fnUntraced(function* (machine) {
      const before = remembered.get(item);
      if (before === undefined) return yield* mismatch("something to compare with", "nothing before the reboot");
      const { status, stdout, stderr } = yield* ask(item, machine);
      yield* expectEqual({ status: 0, stdout: before }, { status, stdout }, stderr);
    }),
  });

  return { before: [remember], anew: another, after: data.map(compare) };
}
