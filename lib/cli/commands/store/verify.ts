import { defineCommand, switchFlag } from "../../command.ts";
import * as flags from "../../flags.ts";

/** `store verify`: compares everything with what was registered. */
export const verifyCommand = defineCommand({
  name: "verify",
  description: "Compare everything in the store with its hash, and mend it if asked to",
  examples: [{ command: "npx tsx flake.ts store verify --repair", description: "After a disk reported errors" }],
  parameters: {
    repair: switchFlag("repair", "Take damaged paths from a cache, or build them again"),
    ...flags.substitution,
    json: flags.json,
    progress: flags.progress,
  },
  run: async (flake, input) => (await import("../../actions/store/verify.ts")).verify(flake, input),
});
