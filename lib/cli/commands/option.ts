import { defineCommand, argument, textFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `option`: what an option means, what it is set to, and who set it. */
export const optionCommand = defineCommand({
  name: "option",
  description: "Explain an option: its meaning, its value, and every definition of it with its place",
  examples: [
    { command: "npx tsx flake.ts option networking.hostName", description: "Who named this machine?" },
    { command: "npx tsx flake.ts option users.users.root.shell", description: "Who chose the shell of root?" },
    { command: "npx tsx flake.ts option 'users.users.*.shell'", description: "What can be said of any user?" },
    { command: "npx tsx flake.ts option services", description: "List the options of a group" },
  ],
  parameters: {
    option: argument("option", "An option, or a group of options, such as networking.hostName"),
    system: textFlag("system", "The system, or the file that describes it; the first system by default"),
    json: flags.json,
    set: flags.set,
    legacy: flags.legacy,
  },
  run: async (flake, input) => (await import("../actions/option.ts")).explainOption(flake, input),
});
