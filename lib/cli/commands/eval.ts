import { defineCommand, switchFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `eval`: prints a value of the outputs. */
export const evalCommand = defineCommand({
  name: "eval",
  description: "Print a value",
  examples: [
    {
      command: "npx tsx flake.ts eval .#systems.helios-cm5.config.networking",
      description: "Print a part of the configuration",
    },
  ],
  parameters: {
    installable: flags.installable,
    json: flags.json,
    raw: switchFlag("raw", "Print a string as it is, without quotes and without a line end"),
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/eval.ts")).evaluate(flake, input),
});
