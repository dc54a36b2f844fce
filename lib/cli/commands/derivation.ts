import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `derivation show`: prints what a builder is given. */
const showCommand = (flake: LocatedFlake) =>
  Command.make(
    "show",
    {
      installable: flags.installableOrPath,
      recursive: Flag.Boolean("recursive").pipe(
        Flag.withAlias("r"),
        Flag.withDescription("Also show everything that it is built from"),
        Flag.withDefault(false),
      ),
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/derivation-show.ts"),
        ({ derivationShow }) => derivationShow(flake, input),
      ),
  ).pipe(
    Command.withDescription("Print a derivation as JSON, with Nix's names of fields"),
    Command.withExamples([
      {
        command: "tsx flake.ts derivation show .#helios-engine",
        description: "See builder, arguments, variables, inputs",
      },
    ]),
  );

/** `derivation`: looks at derivations. */
export const derivationCommand = (flake: LocatedFlake) =>
  Command.make("derivation").pipe(
    Command.withDescription("Look at derivations"),
    Command.withSubcommands([showCommand(flake)]),
  );
