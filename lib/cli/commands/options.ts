import { choiceFlag, defineCommand, textFlag, withFallback } from "../command.ts";
import * as flags from "../flags.ts";

/** The forms of the reference. */
export const referenceFormats = ["markdown", "html", "json", "schema"] as const;

/** `options`: the reference of all options of a system. */
export const optionsCommand = defineCommand({
  name: "options",
  description: "Print the reference of all options: type, default, example, and where each is declared",
  examples: [
    { command: "npx tsx flake.ts options --format html > options.html", description: "One page, with search" },
    {
      command: "npx tsx flake.ts options --format schema > schema.json",
      description: "For editors of TOML and JSON files",
    },
  ],
  parameters: {
    format: withFallback(
      choiceFlag("format", referenceFormats, "Markdown, a page, data, or the JSON Schema of configuration files"),
      "markdown",
    ),
    system: textFlag("system", "The system, or the file that describes it; the first system by default"),
    set: flags.set,
    legacy: flags.legacy,
  },
  run: async (flake, input) => (await import("../actions/options.ts")).printOptions(flake, input),
});
