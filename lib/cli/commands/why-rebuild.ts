import * as Command from "effect/cli/Command";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `why-rebuild`: tells why something would be built. */
export const whyRebuildCommand = (flake: LocatedFlake) =>
  Command.make(
    "why-rebuild",
    {
      installable: flags.installable,
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/why-rebuild.ts"),
        ({ whyRebuild }) => whyRebuild(flake, input),
      ),
  ).pipe(
    Command.withDescription("Tell what changed since the last build: which file, which variable, of which input"),
    Command.withExamples([
      { command: "tsx flake.ts why-rebuild .#helios-cm5", description: "Find out what a change sets off" },
    ]),
  );
