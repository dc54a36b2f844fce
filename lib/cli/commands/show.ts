import * as Command from "effect/cli/Command";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `show`: lists the outputs. */
export const showCommand = (flake: LocatedFlake) =>
  Command.make("show", { json: flags.json }, (input) =>
    lazily(
      () => import("../actions/show.ts"),
      ({ show }) => show(flake, input),
    ),
  ).pipe(
    Command.withDescription("List what this flake has to offer"),
    Command.withExamples([
      { command: "tsx flake.ts show --json", description: "The names of all outputs, for a program" },
    ]),
  );
