import { defineCommand, manyArguments } from "../command.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `update`: resolves environments of the lock file anew. */
export const updateCommand = defineCommand({
  name: "update",
  description: "Resolve packages anew and write flake.lock",
  examples: [
    { command: "tsx flake.ts update", description: "Renew all pins" },
    { command: "tsx flake.ts update qemu", description: "Renew those of one environment" },
  ],
  parameters: {
    environments: manyArguments("environment", "Environments to resolve; all of them by default"),
    json: flags.json,
    progress: flags.progress,
  },
  run: (flake, input) =>
    lazily(
      () => import("../actions/update.ts"),
      ({ update }) => update(flake, input),
    ),
});
