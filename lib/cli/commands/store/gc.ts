import { defineCommand, otherFlag, switchFlag } from "../../command.ts";
import * as flags from "../../flags.ts";
import { ageOf, sizeOf } from "../../quantity.ts";

/** `store gc`: deletes what no root needs. */
export const gcCommand = defineCommand({
  name: "gc",
  description: "Delete what no ./result link and no running build needs",
  examples: [
    { command: "npx tsx flake.ts store gc --dry-run", description: "See what would go" },
    {
      command: "npx tsx flake.ts store gc --older-than 30d --max-size 20G",
      description: "Delete old things, until 20 GiB are left",
    },
  ],
  parameters: {
    dryRun: switchFlag("dry-run", "Only tell what would be deleted"),
    olderThan: otherFlag("older-than", "Keep what was added within this time: 12h, 30d, 8w", {
      metavar: "AGE",
      expected: "an age such as 12h, 30d or 8w",
      read: ageOf,
    }),
    maxSize: otherFlag("max-size", "Delete, oldest first, only until the store is no larger: 500M, 20G", {
      metavar: "SIZE",
      expected: "a size such as 500M or 20G",
      read: sizeOf,
    }),
    json: flags.json,
    progress: flags.progress,
  },
  run: async (_flake, input) => (await import("../../actions/store/gc.ts")).gc(input),
});
