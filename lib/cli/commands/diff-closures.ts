import { defineCommand, argument } from "../command.ts";
import * as flags from "../flags.ts";

/** `diff-closures`: compares what two paths need. */
export const diffClosuresCommand = defineCommand({
  name: "diff-closures",
  description: "Show which packages, versions and sizes differ between two closures",
  examples: [
    { command: "npx tsx flake.ts diff-closures ./result-old ./result", description: "See what an update brought" },
  ],
  parameters: {
    before: flags.installableOrPath,
    after: argument("after", "An installable or a path as well"),
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/diff-closures.ts")).diffClosures(flake, input),
});
