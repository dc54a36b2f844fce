import { defineCommand, switchFlag, textFlag, withFallback } from "../command.ts";
import * as flags from "../flags.ts";

/** `build`: realises installables and links `./result` to them. */
export const buildCommand = defineCommand({
  name: "build",
  description: "Build what is missing and link ./result to it",
  examples: [
    { command: "npx tsx flake.ts build .#helios-cm5", description: "Build the SD card image" },
    {
      command: "npx tsx flake.ts build .#systems.helios-cm5.config.system.build.initrd",
      description: "Build a part of it",
    },
    {
      command: "npx tsx flake.ts build .#systems.helios-cm5.config.system.build.image --rebuild",
      description: "See whether a build is reproducible",
    },
    {
      command: "npx tsx flake.ts build .#systems.helios-cm5.config.system.build.image --shell",
      description: "Look around where it is built",
    },
    { command: "npx tsx flake.ts build /nix/store/….drv --keep-failed", description: "Build again what has failed" },
  ],
  parameters: {
    installables: flags.installables,
    outLink: withFallback(
      textFlag("out-link", "Where to link the result; several results get -1, -2 … at the end", { alias: "o" }),
      "result",
    ),
    noLink: switchFlag("no-link", "Make no link to the result"),
    dryRun: switchFlag("dry-run", "Only tell what would be downloaded and built"),
    rebuild: switchFlag("rebuild", "Build the named derivation once more, and show which files differ"),
    rebuildAll: switchFlag("rebuild-all", "The same of everything that it is built from, downloads aside"),
    shell: switchFlag("shell", "Build what is needed, then open a shell in the sandbox instead of the last build"),
    ...flags.building,
    ...flags.substitution,
    json: flags.json,
    ...flags.watching,
  },
  run: async (flake, input) => {
    const { beginBuild } = await import("../actions/build-begin.ts");
    const beginning = await beginBuild(flake, input);
    return beginning.done ? undefined : (await import("../actions/build.ts")).build(flake, input, beginning.begun);
  },
});
