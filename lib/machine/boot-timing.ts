import * as Effect from "effect/Effect";
import type { Machine } from "./machine.ts";

/** How long a boot took until its default target was reached. */
export interface BootTiming {
  /** "multi-user.target" */
  readonly target: string;
  /** From the start of the kernel, by the guest's clock. */
  readonly kernelSeconds: number;
  /** From the start of QEMU: with the firmware, and the boot loader. */
  readonly machineSeconds: number;
}

const question = [
  "target=$(systemctl get-default)",
  "read -r uptime rest </proc/uptime",
  'echo "$uptime $(systemctl show --property ActiveEnterTimestampMonotonic --value -- "$target") $target"',
].join("; ");

/**
 * Asks a machine that is up how long it took; undefined when it does not know.
 *
 * @param elapsed seconds since QEMU was started
 */
export const askBootTiming = Effect.fnUntraced(function* (
  machine: Machine,
  elapsed: () => number,
): Effect.fn.Return<BootTiming | undefined> {
  const answer = yield* Effect.orElseSucceed(machine.succeed(question), () => "");
  return parseBootTiming(answer, elapsed());
});

/** Reads `<uptime in seconds> <microseconds until the target> <target>`, as asked `elapsed` seconds after the machine's start. */
export function parseBootTiming(answer: string, elapsed: number): BootTiming | undefined {
  const [, uptime, reached, target] = /^(\d+\.\d+) (\d+) (\S+)\n?$/.exec(answer) ?? [];
  const kernelSeconds = Number(reached) / 1_000_000;
  // Zero: the target was never reached.
  if (uptime === undefined || target === undefined || !(kernelSeconds > 0)) return undefined;
  return { target, kernelSeconds, machineSeconds: Math.max(0, elapsed - Number(uptime)) + kernelSeconds };
}
