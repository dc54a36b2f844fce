import * as Effect from "effect/Effect";

/** Writes one line to stdout, where results go. */
export const printLine = (line: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    process.stdout.write(`${line}\n`, () => resume(Effect.void));
  });

/** Writes a value to stdout as indented JSON. */
export const printJson = (value: unknown): Effect.Effect<void> => printLine(JSON.stringify(value, undefined, 2));
