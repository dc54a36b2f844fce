import { defineCommand, switchFlag, textFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `lint`: what evaluates, but may not mean what its author thought. */
export const lintCommand = defineCommand({
  name: "lint",
  description: "Look for lost defaults, values that depend on the order of imports, and options without use",
  examples: [{ command: "npx tsx flake.ts lint --strict", description: "Fail if there is anything to mend" }],
  parameters: {
    system: textFlag("system", "The system, or the file that describes it; the first system by default"),
    strict: switchFlag("strict", "Fail if something is found"),
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/lint.ts")).lint(flake, input),
});
