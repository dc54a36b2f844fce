import * as Effect from "effect/Effect";
import { readFile } from "node:fs/promises";
import { readRecording, type RecordingError } from "#lib/build/event-recording.ts";
import { emit } from "#lib/platform/events.ts";
import { storeError } from "#lib/store/errors.ts";
import { progressEvents, type ProgressFlags } from "../progress.ts";

/** What to show, and how fast. */
interface ReplayInput extends ProgressFlags {
  readonly file: string;
  readonly speed: number;
}

/** Gives the events of a recording to a printer, at their time. */
export const replay = ({ file, speed, progress }: ReplayInput) =>
  Effect.gen(function* () {
    const text = yield* Effect.tryPromise({
      try: () => readFile(file, "utf8"),
      catch: (cause) => storeError("read", file, cause),
    });
    const recording = yield* Effect.try({ try: () => readRecording(text), catch: (cause) => cause as RecordingError }); // The only thing that it throws.
    const events = yield* progressEvents({ progress });
    yield* Effect.gen(function* () {
      const started = performance.now();
      for (const { milliseconds, event } of recording) {
        const wait = speed > 0 ? milliseconds / speed - (performance.now() - started) : 0;
        if (wait > 1) yield* Effect.sleep(wait);
        yield* emit(event);
      }
    }).pipe(Effect.provide(events));
  }).pipe(Effect.scoped);
