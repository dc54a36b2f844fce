import { defineCommand, manyArguments } from "../command.ts";
import * as flags from "../flags.ts";

/** `check`: evaluates every option of every system, then builds the images and boots them. */
export const checkCommand = defineCommand({
  name: "check",
  description: "Evaluate everything, and boot-test the images in QEMU",
  examples: [
    { command: "npx tsx flake.ts check", description: "Run all checks" },
    { command: "npx tsx flake.ts check helios-cm5 --json", description: "Run one, and print every assertion as JSON" },
  ],
  parameters: {
    names: manyArguments("check", "Checks to run, and files that describe systems; all checks by default"),
    ...flags.building,
    ...flags.substitution,
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/check.ts")).check(flake, input),
});
