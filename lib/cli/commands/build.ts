import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `build`: realises installables and links `./result` to them. */
export const buildCommand = (flake: LocatedFlake) =>
  Command.make(
    "build",
    {
      installables: flags.installables,
      outLink: Flag.String("out-link").pipe(
        Flag.withAlias("o"),
        Flag.withDescription("Where to link the result; several results get -1, -2 … at the end"),
        Flag.withDefault("result"),
      ),
      noLink: Flag.Boolean("no-link").pipe(Flag.withDescription("Make no link to the result"), Flag.withDefault(false)),
      dryRun: Flag.Boolean("dry-run").pipe(
        Flag.withDescription("Only tell what would be downloaded and built"),
        Flag.withDefault(false),
      ),
      rebuild: Flag.Boolean("rebuild").pipe(
        Flag.withDescription("Build once more what is built already, and show which files differ"),
        Flag.withDefault(false),
      ),
      shell: Flag.Boolean("shell").pipe(
        Flag.withDescription("Build what is needed, then open a shell in the sandbox instead of the last build"),
        Flag.withDefault(false),
      ),
      ...flags.building,
      ...flags.substitution,
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/build.ts"),
        ({ build }) => build(flake, input),
      ),
  ).pipe(
    Command.withDescription("Build what is missing and link ./result to it"),
    Command.withExamples([
      { command: "tsx flake.ts build .#helios-cm5", description: "Build the SD card image" },
      {
        command: "tsx flake.ts build .#systems.helios-cm5.config.system.build.initrd",
        description: "Build a part of it",
      },
      { command: "tsx flake.ts build .#helios-engine --rebuild", description: "See whether a build is reproducible" },
      { command: "tsx flake.ts build .#helios-engine --shell", description: "Look around where it is built" },
      { command: "tsx flake.ts build /nix/store/….drv --keep-failed", description: "Build again what has failed" },
    ]),
  );
