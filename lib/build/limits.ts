import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import type { BuildLog } from "./log.ts";

/** What one build may use. Absent means without limit. */
export interface Limits {
  /** Milliseconds from start to end. */
  readonly time?: number | undefined;
  /** Milliseconds without a line of output. */
  readonly silence?: number | undefined;
  /** Bytes of log. */
  readonly logSize?: number | undefined;
  /**
   * Bytes of memory that each process of the build may take. The kernel counts what a process writes to and shares
   * with none (RLIMIT_DATA), not what it only reserves, and lets its allocations fail beyond that: a limit for the whole
   * build needs a control group, which an ordinary user has only below his own service manager.
   */
  readonly memory?: number | undefined;
}

/** A log that grows beyond this is a loop, not a build. */
const defaultLogSize = 1024 * 1024 * 1024;

/** Longest pause between two looks at a running build. */
const pollingInterval = 1000;

/** A build was killed because it went beyond a limit. */
export class LimitExceeded extends Data.TaggedError("LimitExceeded")<{
  readonly limit: "time" | "silence" | "log size";
  /** Milliseconds or bytes. */
  readonly allowed: number;
}> {
  override get message(): string {
    switch (this.limit) {
      case "time":
        return `was killed after ${this.allowed / 1000} s, its time limit. Raise that with --timeout if it is only slow.`;
      case "silence":
        return `was killed after ${this.allowed / 1000} s without any output. Raise that limit with --max-silent-time if it is only slow.`;
      case "log size":
        return `was killed because its log grew beyond ${this.allowed} bytes: it most likely repeats itself without end.`;
    }
  }

  /** Never succeeds: fails as soon as the build behind `log` goes beyond a limit. */
  static readonly watch = (log: BuildLog, limits: Limits): Effect.Effect<never, LimitExceeded> =>
    Effect.gen(function* () {
      const started = performance.now();
      const logSize = limits.logSize ?? defaultLogSize;
      while (true) {
        const now = performance.now();
        const timeLeft = limits.time === undefined ? Infinity : started + limits.time - now;
        const silenceLeft = limits.silence === undefined ? Infinity : log.lastOutput + limits.silence - now;
        if (timeLeft <= 0) return yield* new LimitExceeded({ limit: "time", allowed: limits.time ?? 0 });
        if (silenceLeft <= 0) return yield* new LimitExceeded({ limit: "silence", allowed: limits.silence ?? 0 });
        if (log.bytes > logSize) return yield* new LimitExceeded({ limit: "log size", allowed: logSize });
        yield* Effect.sleep(Math.min(pollingInterval, Math.ceil(timeLeft), Math.ceil(silenceLeft)));
      }
    });
}
