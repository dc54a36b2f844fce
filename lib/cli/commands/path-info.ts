import { defineCommand, switchFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `path-info`: shows what the store knows of paths. */
export const pathInfoCommand = defineCommand({
  name: "path-info",
  description: "Show what is known of paths",
  examples: [{ command: "npx tsx flake.ts path-info -rS ./result", description: "List a closure with sizes" }],
  parameters: {
    installables: flags.installablesOrPaths,
    size: switchFlag("size", "Also show the size", { alias: "s" }),
    closureSize: switchFlag("closure-size", "Also show the size of all that it needs at run time", { alias: "S" }),
    recursive: switchFlag("recursive", "Show all that it needs at run time too", { alias: "r" }),
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/path-info.ts")).pathInfo(flake, input),
});
