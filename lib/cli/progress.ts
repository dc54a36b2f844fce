import * as Effect from "effect/Effect";
import type * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import { closeSync, openSync, writeSync } from "node:fs";
import { recordingEmit } from "#lib/build/event-recording.ts";
import { Events } from "#lib/platform/events.ts";
import { StoreIoError } from "#lib/store/errors.ts";
import { displayOpened } from "./print.ts";
import { makePrinter, type ProgressForm } from "./printers/printer.ts";

/** How a command shows what it does. */
export interface ProgressFlags {
  readonly progress: ProgressForm;
  /** A file for the events, which `replay` shows again. */
  readonly record?: string | undefined;
}

/** Events go to a printer on stderr, and to the recording if one was asked for, until the scope ends. */
export const progressEvents = Effect.fnUntraced(function* ({
  progress,
  record,
}: ProgressFlags): Effect.fn.Return<Layer.Layer<Events>, StoreIoError, Scope.Scope> {
  const recording = record === undefined ? undefined : yield* openRecording(record);
  const printer = yield* Effect.acquireRelease(
    Effect.promise(() => makePrinter(progress, process.stderr)),
    ({ close }) => Effect.sync(close),
  );
  displayOpened(printer.close);
  if (recording === undefined) return Events.to(printer.emit);
  // One small write for each event: nothing is lost when this process is killed, which is when one wants it.
  return Events.to(recordingEmit(printer.emit, (line) => writeSync(recording, line)));
});

const openRecording = (file: string) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => openSync(file, "w"),
      catch: (cause) => new StoreIoError({ operation: "write", path: file, cause }),
    }),
    (descriptor) => Effect.sync(() => closeSync(descriptor)),
  );
