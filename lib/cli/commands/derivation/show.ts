import { defineCommand, switchFlag } from "../../command.ts";
import * as flags from "../../flags.ts";

/** `derivation show`: prints what a builder is given. */
export const showDerivationCommand = defineCommand({
  name: "show",
  description: "Print a derivation as JSON, with Nix's names of fields",
  examples: [
    {
      command: "npx tsx flake.ts derivation show .#helios-cm5",
      description: "See builder, arguments, variables, inputs",
    },
  ],
  parameters: {
    installable: flags.installableOrPath,
    recursive: switchFlag("recursive", "Also show everything that it is built from", { alias: "r" }),
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../../actions/derivation-show.ts")).derivationShow(flake, input),
});
