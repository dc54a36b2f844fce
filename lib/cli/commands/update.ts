import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `update`: resolves environments of the lock file anew. */
export const updateCommand = (flake: LocatedFlake) =>
  Command.make(
    "update",
    {
      environments: Argument.String("environment").pipe(
        Argument.withDescription("Environments to resolve; all of them by default"),
        Argument.variadic(),
      ),
      json: flags.json,
      progress: flags.progress,
    },
    (input) =>
      lazily(
        () => import("../actions/update.ts"),
        ({ update }) => update(flake, input),
      ),
  ).pipe(
    Command.withDescription("Resolve packages anew and write flake.lock"),
    Command.withExamples([
      { command: "tsx flake.ts update", description: "Renew all pins" },
      { command: "tsx flake.ts update qemu", description: "Renew those of one environment" },
    ]),
  );
