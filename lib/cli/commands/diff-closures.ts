import * as Command from "effect/cli/Command";
import * as Argument from "effect/cli/Argument";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `diff-closures`: compares what two paths need. */
export const diffClosuresCommand = (flake: LocatedFlake) =>
  Command.make(
    "diff-closures",
    {
      before: flags.installableOrPath,
      after: Argument.String("after").pipe(Argument.withDescription("An installable or a path as well")),
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/diff-closures.ts"),
        ({ diffClosures }) => diffClosures(flake, input),
      ),
  ).pipe(
    Command.withDescription("Show which packages, versions and sizes differ between two closures"),
    Command.withExamples([
      { command: "tsx flake.ts diff-closures ./result-old ./result", description: "See what an update brought" },
    ]),
  );
