import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `option`: what an option means, what it is set to, and who set it. */
export const optionCommand = (flake: LocatedFlake) =>
  Command.make(
    "option",
    {
      option: Argument.String("option").pipe(
        Argument.withDescription("An option, or a group of options, such as networking.hostName"),
      ),
      system: Flag.String("system").pipe(
        Flag.withDescription("The system whose configuration is asked for; the first one by default"),
        Flag.optional,
      ),
      json: flags.json,
      set: flags.set,
    },
    (input) =>
      lazily(
        () => import("../actions/option.ts"),
        ({ explainOption }) => explainOption(flake, input),
      ),
  ).pipe(
    Command.withDescription("Explain an option: its meaning, its value, and every definition of it with its place"),
    Command.withExamples([
      { command: "tsx flake.ts option networking.hostName", description: "Who named this machine?" },
      { command: "tsx flake.ts option services", description: "List the options of a group" },
    ]),
  );
