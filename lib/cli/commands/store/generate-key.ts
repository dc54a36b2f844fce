import { defineCommand, argument, textFlag } from "../../command.ts";

/** `store generate-key`: makes a key for signing binary caches. */
export const generateKeyCommand = defineCommand({
  name: "generate-key",
  description: "Make a key for signing; writes the secret one to a file and prints the public one",
  examples: [
    { command: "npx tsx flake.ts store generate-key cache.example.org-1", description: "Make a key for a new cache" },
  ],
  parameters: {
    name: argument("name", "Whose key it is, such as cache.example.org-1"),
    secretKeyFile: textFlag("secret-key-file", "Where to write the secret key; NAME.secret by default", {
      metavar: "FILE",
    }),
  },
  run: async (_flake, input) => (await import("../../actions/store/generate-key.ts")).generateKey(input),
});
