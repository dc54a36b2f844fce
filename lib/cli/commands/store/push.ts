import { defineCommand, argument, choiceFlag, switchFlag, textFlag, withFallback } from "../../command.ts";
import * as flags from "../../flags.ts";

/** `store push`: copies closures into a binary cache. */
export const pushCommand = defineCommand({
  name: "push",
  description: "Copy what is built, and all that it needs, into a binary cache in Nix's format",
  examples: [
    {
      command: "npx tsx flake.ts store push file:///srv/cache .#helios-cm5 --secret-key-file cache.secret",
      description: "Share an image",
    },
  ],
  parameters: {
    url: argument("url", "The cache: file:///…, http://… or https://…"),
    installables: flags.installablesOrPaths,
    all: switchFlag("all", "Also everything else that was built: so others need not build what came out the same"),
    secretKeyFile: textFlag("secret-key-file", "Sign with the key in this file; see 'store generate-key'", {
      metavar: "FILE",
    }),
    compression: withFallback(
      choiceFlag("compression", ["zstd", "xz", "gzip", "none"], "How archives are compressed"),
      "zstd",
    ),
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../../actions/store/push.ts")).push(flake, input),
});
