import * as Effect from "effect/Effect";

let closeDisplay: (() => void) | undefined;

/**
 * Names what has to be called before results are printed, or the terminal is given away: a live display would
 * otherwise erase them. A process has one terminal, so there is one.
 */
export function displayOpened(close: () => void): void {
  closeDisplay = close;
}

/** Ends the display of progress. */
export const endDisplay: Effect.Effect<void> = Effect.sync(() => {
  closeDisplay?.();
  closeDisplay = undefined;
});

/** Writes text to stdout, where results go. */
export const printText = (text: string): Effect.Effect<void> => Effect.andThen(endDisplay, write(text));

const write = (text: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    process.stdout.write(text, () => resume(Effect.void));
  });

/** Writes one line to stdout. */
export const printLine = (line: string): Effect.Effect<void> => printText(`${line}\n`);

/** Writes a value to stdout as indented JSON. */
export const printJson = (value: unknown): Effect.Effect<void> => printLine(JSON.stringify(value, undefined, 2));
