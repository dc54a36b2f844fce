import * as Effect from "effect/Effect";
import { FileSystem } from "#lib/platform/file-system.ts";
import { attempt } from "#lib/store/attempt.ts";
import type { BuildRemains } from "#lib/store/build-remains.ts";
import { Store } from "#lib/store/store.ts";
import { surveyStore } from "#lib/store/survey.ts";
import { count, formatBytes } from "../../printers/format.ts";
import { printJson, printLine } from "../../print.ts";
import type { ProgressFlags } from "../../progress.ts";
import { withStore } from "../../stores.ts";

/** What to delete. */
interface GcInput extends ProgressFlags {
  readonly dryRun: boolean;
  /** Milliseconds. */
  readonly olderThan: number | undefined;
  /** Bytes. */
  readonly maxSize: number | undefined;
  readonly json: boolean;
}

/** Deletes what no root needs. */
export const gc = (input: GcInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      const store = yield* Store;
      const { deleted, freedBytes, leftovers, kept, remains } = yield* store.collectGarbage({
        dryRun: input.dryRun,
        ...(input.olderThan !== undefined && { addedBefore: Date.now() - input.olderThan }),
        ...(input.maxSize !== undefined && { enoughBytes: Math.max(0, (yield* storeSize) - input.maxSize) }),
      });
      if (input.json)
        return yield* printJson({ dryRun: input.dryRun, deleted, freedBytes, leftovers, kept, ...remains });
      for (const path of deleted) yield* printLine(path);
      yield* printLine(
        `${input.dryRun ? "would delete" : "deleted"} ${count(deleted.length, "path")}, ${formatBytes(freedBytes)}${describeRemains(remains, leftovers)}; ` +
          `${count(kept, "path")} ${kept === 1 ? "stays" : "stay"}`,
      );
    }),
  );

function describeRemains({ logs, failures, downloads }: BuildRemains, leftovers: readonly string[]): string {
  return [
    count(leftovers.length, "leftover"),
    count(logs.length, "log"),
    count(failures.length, "kept failure"),
    count(downloads.length, "unfinished download"),
  ]
    .filter((text) => !text.startsWith("0 "))
    .map((text) => `, ${text}`)
    .join("");
}

/** Bytes of the archives of everything valid. */
const storeSize = Effect.gen(function* () {
  const fs = yield* FileSystem;
  const { layout } = yield* Store;
  const { valid } = yield* attempt("measure", layout.root, (signal) => surveyStore(fs, layout, signal));
  let size = 0;
  for (const { info } of valid.values()) size += info.narSize;
  return size;
});
