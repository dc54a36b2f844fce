import { defineCommand, argument } from "../../command.ts";
import * as flags from "../../flags.ts";

/** `store pull`: takes closures out of a binary cache. */
export const pullCommand = defineCommand({
  name: "pull",
  description: "Take what was built elsewhere, and all that it needs, out of a binary cache",
  examples: [
    {
      command: "npx tsx flake.ts store pull http://127.0.0.1:8080 .#helios-cm5 --trusted-public-keys cache:…",
      description: "Take an image",
    },
  ],
  parameters: {
    url: argument("url", "The cache: file:///…, http://… or https://…"),
    installables: flags.installablesOrPaths,
    trustedPublicKeys: flags.substitution.trustedPublicKeys,
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../../actions/store/pull.ts")).pull(flake, input),
});
