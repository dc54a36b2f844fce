import * as Effect from "effect/Effect";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { findLog, findLogOf } from "#lib/build/inspect/find-log.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { storeError } from "#lib/store/errors.ts";
import { NoLog } from "../errors.ts";
import type { WatchFlags } from "../flags.ts";
import { endDisplay, printLine } from "../print.ts";
import { withStore } from "../stores.ts";
import { derivationOf, isPath, storePathAt } from "./store-paths.ts";

/** Whose log. */
interface LogInput extends WatchFlags {
  readonly installable: string;
  readonly file: boolean;
}

/** Prints the log of the last build of something. */
export const log = (flake: LocatedFlake, input: LogInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      const text = input.installable;
      const file = isPath(text)
        ? yield* findLog(yield* storePathAt(text))
        : yield* findLogOf(yield* derivationOf(flake, input, text));
      if (file === undefined) return yield* new NoLog({ text });
      if (input.file) return yield* printLine(file);
      yield* endDisplay;
      const stream = createReadStream(file);
      yield* Effect.tryPromise({
        try: () => pipeline(stream, process.stdout, { end: false }),
        catch: (cause) => storeError("print", file, cause),
      });
      if (stream.bytesRead === 0) process.stderr.write(`${text} was built without a word: its log is empty.\n`);
    }),
  );
