import { defineCommand, switchFlag, textFlag } from "../../command.ts";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

/** `store gc`: deletes what no root needs. */
export const gcCommand = defineCommand({
  name: "gc",
  description: "Delete what no ./result link and no running build needs",
  examples: [
    { command: "tsx flake.ts store gc --dry-run", description: "See what would go" },
    {
      command: "tsx flake.ts store gc --older-than 30d --max-size 20G",
      description: "Delete old things, until 20 GiB are left",
    },
  ],
  parameters: {
    dryRun: switchFlag("dry-run", "Only tell what would be deleted"),
    olderThan: textFlag("older-than", "Keep what was added within this time: 12h, 30d, 8w", { metavar: "AGE" }),
    maxSize: textFlag("max-size", "Delete, oldest first, only until the store is no larger: 500M, 20G", {
      metavar: "SIZE",
    }),
    json: flags.json,
    progress: flags.progress,
  },
  run: (_flake, input) =>
    lazily(
      () => import("../../actions/store/gc.ts"),
      ({ gc }) => gc(input),
    ),
});
