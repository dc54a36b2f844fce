import { defineCommand, switchFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `log`: prints the log of a build. */
export const logCommand = defineCommand({
  name: "log",
  description: "Print the log of the last build of something, successful or not",
  examples: [
    { command: "npx tsx flake.ts log .#helios-cm5", description: "See how it was built" },
    { command: "npx tsx flake.ts log /nix/store/….drv", description: "See why it failed" },
  ],
  parameters: {
    installable: flags.installableOrPath,
    file: switchFlag("file", "Print the path of the log instead"),
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/log.ts")).log(flake, input),
});
