import { defineCommand, manyArguments } from "../command.ts";
import * as flags from "../flags.ts";

/** `update`: resolves environments of the lock file anew. */
export const updateCommand = defineCommand({
  name: "update",
  description: "Resolve packages anew and write flake.lock",
  examples: [
    { command: "tsx flake.ts update", description: "Renew all pins" },
    { command: "tsx flake.ts update qemu", description: "Renew those of one environment" },
    { command: "tsx flake.ts update path/to/build.toml", description: "Renew those of a system that a file describes" },
  ],
  parameters: {
    targets: manyArguments(
      "environment",
      "Environments to resolve, or files that describe systems, for all that these need; by default all that this flake's own outputs need",
    ),
    legacy: flags.legacy,
    json: flags.json,
    progress: flags.progress,
  },
  run: async (flake, input) => (await import("../actions/update.ts")).update(flake, input),
});
