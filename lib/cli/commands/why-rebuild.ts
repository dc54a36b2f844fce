import { defineCommand } from "../command.ts";
import * as flags from "../flags.ts";

/** `why-rebuild`: tells why something would be built. */
export const whyRebuildCommand = defineCommand({
  name: "why-rebuild",
  description: "Tell what changed since the last build: which file, which variable, of which input",
  examples: [{ command: "npx tsx flake.ts why-rebuild .#helios-cm5", description: "Find out what a change sets off" }],
  parameters: {
    installable: flags.installable,
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/why-rebuild.ts")).whyRebuild(flake, input),
});
