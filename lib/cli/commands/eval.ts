import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `eval`: prints a value of the outputs. */
export const evalCommand = (flake: LocatedFlake) =>
  Command.make(
    "eval",
    {
      installable: flags.installable,
      json: flags.json,
      raw: Flag.Boolean("raw").pipe(
        Flag.withDescription("Print a string as it is, without quotes and without a line end"),
        Flag.withDefault(false),
      ),
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/eval.ts"),
        ({ evaluate }) => evaluate(flake, input),
      ),
  ).pipe(
    Command.withDescription("Print a value"),
    Command.withExamples([
      {
        command: "tsx flake.ts eval .#systems.helios-cm5.config.networking",
        description: "Print a part of the configuration",
      },
    ]),
  );
