import { availableParallelism, loadavg } from "node:os";

/**
 * Time limits of a test that runs in an emulator.
 *
 * A guest under TCG on a busy host is several times slower than on a quiet one,
 * so a nominal limit is stretched by how slow the host is. It never exceeds
 * `longestLimit`: a hang is reported after a bounded time on any machine.
 */
export interface TimeLimits {
  /** By how much nominal limits are stretched: 1 on a quiet host, at most `largestScale`. */
  readonly scale: number;
  /** The limit in seconds for something that a quiet host does well within `nominal` seconds. */
  readonly seconds: (nominal: number) => number;
}

/** No single wait is longer than this many seconds. */
export const longestLimit = 600;

/** Limits are stretched by at most this factor. */
const largestScale = 6;

/** Seconds that the root shell takes to answer on a quiet two-core host, of which EFI firmware has two or three. */
const referenceShellSeconds = 10;

/** What is known of the host's slowness. */
export interface HostPace {
  /** Processes that want a processor, on average over the last minute. */
  readonly loadAverage: number;
  readonly processors: number;
  /** Seconds from the machine's start to the root shell's first answer, once known. */
  readonly shellSeconds?: number;
}

/** Computes limits from the host's load and, once it is known, from how fast this very machine has booted so far. */
export function timeLimits(pace: HostPace): TimeLimits {
  // The guest competes with `loadAverage` others for the processors.
  const byLoad = (pace.loadAverage + 1) / Math.max(1, pace.processors);
  const byPace = (pace.shellSeconds ?? 0) / referenceShellSeconds;
  const scale = Math.min(largestScale, Math.max(1, byLoad, byPace));
  return { scale, seconds: (nominal) => Math.min(longestLimit, nominal * scale) };
}

/** Asks the host. */
export function hostPace(): HostPace {
  return { loadAverage: loadavg()[0] ?? 0, processors: availableParallelism() };
}
