import * as Effect from "effect/Effect";

/** Writes text to stdout, where results go. */
export const printText = (text: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    process.stdout.write(text, () => resume(Effect.void));
  });

/** Writes one line to stdout. */
export const printLine = (line: string): Effect.Effect<void> => printText(`${line}\n`);

/** Writes a value to stdout as indented JSON. */
export const printJson = (value: unknown): Effect.Effect<void> => printLine(JSON.stringify(value, undefined, 2));
