import { defineCommand, argument } from "../../command.ts";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

/** `store pull`: takes closures out of a binary cache. */
export const pullCommand = defineCommand({
  name: "pull",
  description: "Take what was built elsewhere, and all that it needs, out of a binary cache",
  examples: [
    {
      command: "tsx flake.ts store pull http://127.0.0.1:8080 .#helios-cm5 --trusted-public-keys cache:…",
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
  run: (flake, input) =>
    lazily(
      () => import("../../actions/store/pull.ts"),
      ({ pull }) => pull(flake, input),
    ),
});
