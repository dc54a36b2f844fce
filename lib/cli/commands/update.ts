import { defineCommand, manyArguments, switchFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `update`: resolves environments of the lock file anew. */
export const updateCommand = defineCommand({
  name: "update",
  description: "Resolve packages anew and write flake.lock",
  examples: [
    { command: "npx tsx flake.ts update", description: "Renew all pins" },
    { command: "npx tsx flake.ts update qemu", description: "Renew those of one environment" },
    {
      command: "npx tsx flake.ts update path/to/build.toml",
      description: "Renew those of a system that a file describes",
    },
    {
      command: "npx tsx flake.ts update --prune path/to/build.toml",
      description: "And forget what nothing else needs",
    },
  ],
  parameters: {
    targets: manyArguments(
      "environment",
      "Environments to resolve, or files that describe systems, for all that these need; by default all that are pinned, or needed by this flake's own outputs",
    ),
    prune: switchFlag(
      "prune",
      "Forget what neither this flake's own outputs nor the files and environments named need",
    ),
    legacy: flags.legacy,
    json: flags.json,
    progress: flags.progress,
  },
  run: async (flake, input) => (await import("../actions/update.ts")).update(flake, input),
});
