import { defineCommand, argument } from "../command.ts";
import * as flags from "../flags.ts";

/** `why-depends`: shows how one path refers to another. */
export const whyDependsCommand = defineCommand({
  name: "why-depends",
  description: "Show the shortest chain of references between two paths, and the files that make it",
  examples: [
    {
      command: "npx tsx flake.ts why-depends ./result /nix/store/…-glibc",
      description: "Find out why something is in a closure",
    },
  ],
  parameters: {
    installable: flags.installableOrPath,
    dependency: argument("dependency", "An installable or a path as well"),
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/why-depends.ts")).whyDepends(flake, input),
});
