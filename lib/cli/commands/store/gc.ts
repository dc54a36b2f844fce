import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

/** `store gc`: deletes what no root needs. */
export const gcCommand = Command.make(
  "gc",
  {
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Only tell what would be deleted"),
      Flag.withDefault(false),
    ),
    olderThan: Flag.String("older-than").pipe(
      Flag.withDescription("Keep what was added within this time: 12h, 30d, 8w"),
      Flag.withMetavar("AGE"),
      Flag.optional,
    ),
    maxSize: Flag.String("max-size").pipe(
      Flag.withDescription("Delete, oldest first, only until the store is no larger: 500M, 20G"),
      Flag.withMetavar("SIZE"),
      Flag.optional,
    ),
    json: flags.json,
    progress: flags.progress,
  },
  (input) =>
    lazily(
      () => import("../../actions/store/gc.ts"),
      ({ gc }) => gc(input),
    ),
).pipe(
  Command.withDescription("Delete what no ./result link and no running build needs"),
  Command.withExamples([
    { command: "tsx flake.ts store gc --dry-run", description: "See what would go" },
    {
      command: "tsx flake.ts store gc --older-than 30d --max-size 20G",
      description: "Delete old things, until 20 GiB are left",
    },
  ]),
);
