import type { EngineEvent } from "#lib/platform/events.ts";

/** What a display shows at one moment; folding the same events gives the same state. */
export interface Progress {
  readonly planned: { readonly builds: number; readonly fetches: number; readonly downloadBytes: number };
  readonly builds: { readonly done: number; readonly failed: number };
  readonly fetches: { readonly done: number; readonly bytes: number };
  /** Running builds by derivation path, in order of their start. */
  readonly running: ReadonlyMap<string, RunningBuild>;
  /** Bytes that have arrived of the downloads under way, by name. */
  readonly arriving: ReadonlyMap<string, number>;
}

/** A build under way. */
export interface RunningBuild {
  readonly name: string;
  /** The phase that it announced last. */
  readonly phase: string | undefined;
  /** The last line of its log. */
  readonly lastLine: string;
}

export const initialProgress: Progress = {
  planned: { builds: 0, fetches: 0, downloadBytes: 0 },
  builds: { done: 0, failed: 0 },
  fetches: { done: 0, bytes: 0 },
  running: new Map(),
  arriving: new Map(),
};

/** The state after one more event. */
export function advance(progress: Progress, event: EngineEvent): Progress {
  switch (event.type) {
    case "plan":
      return { ...progress, planned: event };
    case "build-started":
      if (event.pool === "fetch") return progress;
      return {
        ...progress,
        running: withEntry(progress.running, event.derivation, { name: event.name, phase: undefined, lastLine: "" }),
      };
    case "build-log":
      return withRunning(progress, event.derivation, { lastLine: event.line });
    case "build-phase":
      return withRunning(progress, event.derivation, { phase: event.phase });
    case "build-finished":
      if (event.pool === "fetch") return progress;
      return {
        ...progress,
        running: without(progress.running, event.derivation),
        builds: {
          done: progress.builds.done + (event.outcome === "failed" ? 0 : 1),
          failed: progress.builds.failed + (event.outcome === "failed" ? 1 : 0),
        },
      };
    case "fetch-started":
      return { ...progress, arriving: withEntry(progress.arriving, event.name, 0) };
    case "fetch-progress":
      return { ...progress, arriving: withEntry(progress.arriving, event.name, event.bytes) };
    case "fetch-finished":
      return {
        ...progress,
        arriving: without(progress.arriving, event.name),
        fetches: { done: progress.fetches.done + 1, bytes: progress.fetches.bytes + event.bytes },
      };
    default:
      return progress;
  }
}

/** Bytes downloaded so far, whole files and parts. */
export function downloadedBytes(progress: Progress): number {
  let bytes = progress.fetches.bytes;
  for (const part of progress.arriving.values()) bytes += part;
  return bytes;
}

/** What is not running, such as a download with a log, stays as it is. */
function withRunning(progress: Progress, derivation: string, change: Partial<RunningBuild>): Progress {
  const build = progress.running.get(derivation);
  if (build === undefined) return progress;
  return { ...progress, running: withEntry(progress.running, derivation, { ...build, ...change }) };
}

function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> {
  return new Map(map).set(key, value);
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
