import type { EngineEvent } from "#lib/platform/events.ts";

/** One event of a recording. */
export interface RecordedEvent {
  /** Since the recording began. */
  readonly milliseconds: number;
  readonly event: EngineEvent;
}

/** A line of a recording that is none. */
export class RecordingError extends Error {
  readonly _tag = "RecordingError";
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line} of the recording ${problem}. Record it again with the same version of this program.`);
    this.line = line;
  }
}

/** Makes an `emit` that also writes every event as one line of JSON. */
export function recordingEmit(
  emit: (event: EngineEvent) => void,
  write: (line: string) => void,
  clock: () => number = () => performance.now(),
): (event: EngineEvent) => void {
  const started = clock();
  return (event) => {
    const recorded: RecordedEvent = { milliseconds: Math.round(clock() - started), event };
    write(`${JSON.stringify(recorded)}\n`);
    emit(event);
  };
}

/**
 * Reads a recording, to be given to any printer again: the display is a function of the events alone.
 *
 * @throws RecordingError
 */
export function readRecording(text: string): RecordedEvent[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line, index) => parseLine(line, index + 1));
}

function parseLine(line: string, number: number): RecordedEvent {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    throw new RecordingError(number, "is not JSON");
  }
  if (typeof fields !== "object" || fields === null) throw new RecordingError(number, "is not an object");
  const { milliseconds, event } = fields as { readonly milliseconds?: unknown; readonly event?: unknown };
  if (typeof milliseconds !== "number" || typeof event !== "object" || event === null || !("type" in event)) {
    throw new RecordingError(number, "has no time or no event");
  }
  if (!Object.hasOwn(known, String(event.type)))
    throw new RecordingError(number, `has the unknown event '${String(event.type)}'`);
  // Recordings are written by this module: the tag says which member of the union it is.
  return { milliseconds, event: event as EngineEvent };
}

/** Every event there is. The compiler sees to it that none is forgotten. */
const known: Readonly<Record<EngineEvent["type"], true>> = {
  plan: true,
  "build-started": true,
  "build-log": true,
  "build-phase": true,
  "build-finished": true,
  "fetch-started": true,
  "fetch-progress": true,
  "fetch-finished": true,
  "fetch-retry": true,
  "lock-resolved": true,
  "check-result": true,
  note: true,
  warning: true,
};
