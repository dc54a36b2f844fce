import { defineCommand } from "../command.ts";
import * as flags from "../flags.ts";

/** `show`: lists the outputs. */
export const showCommand = defineCommand({
  name: "show",
  description: "List what this flake has to offer",
  examples: [{ command: "npx tsx flake.ts show --json", description: "The names of all outputs, for a program" }],
  parameters: {
    json: flags.json,
  },
  run: async (flake, input) => (await import("../actions/show.ts")).show(flake, input),
});
