import { choiceFlag, defineCommand, withFallback } from "../command.ts";
import * as flags from "../flags.ts";

/** `resolve`: prints the configuration of a system as one file would say it. */
export const resolveCommand = defineCommand({
  name: "resolve",
  description: "Print what all modules of a system say, merged, as one file would say it",
  examples: [
    { command: "npx tsx flake.ts resolve .#helios-cm5", description: "As TOML, which can be imported as a module" },
    { command: "npx tsx flake.ts resolve path/to/build.toml --json", description: "Of a file, as JSON" },
    { command: "npx tsx flake.ts resolve .#helios-cm5 --set channel=edge", description: "With another input" },
  ],
  parameters: {
    system: flags.system,
    format: withFallback(choiceFlag("format", ["toml", "json"], "How it is printed"), "toml"),
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/resolve.ts")).resolve(flake, input),
});
