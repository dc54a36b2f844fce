import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `log`: prints the log of a build. */
export const logCommand = (flake: LocatedFlake) =>
  Command.make(
    "log",
    {
      installable: flags.installableOrPath,
      file: Flag.Boolean("file").pipe(
        Flag.withDescription("Print the path of the log instead"),
        Flag.withDefault(false),
      ),
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/log.ts"),
        ({ log }) => log(flake, input),
      ),
  ).pipe(
    Command.withDescription("Print the log of the last build of something, successful or not"),
    Command.withExamples([
      { command: "tsx flake.ts log .#helios-engine", description: "See how it was built" },
      { command: "tsx flake.ts log /nix/store/….drv", description: "See why it failed" },
    ]),
  );
