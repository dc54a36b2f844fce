import { defineCommand } from "../../command.ts";
import * as flags from "../../flags.ts";

/** `store roots`: lists the links that keep paths alive. */
export const rootsCommand = defineCommand({
  name: "roots",
  description: "List the links, such as ./result, that keep paths from being deleted",
  examples: [{ command: "npx tsx flake.ts store roots", description: "Find old ./result links" }],
  parameters: {
    json: flags.json,
  },
  run: async (_flake, input) => (await import("../../actions/store/roots.ts")).roots(input),
});
