import * as Command from "effect/cli/Command";
import * as Argument from "effect/cli/Argument";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `why-depends`: shows how one path refers to another. */
export const whyDependsCommand = (flake: LocatedFlake) =>
  Command.make(
    "why-depends",
    {
      installable: flags.installableOrPath,
      dependency: Argument.String("dependency").pipe(Argument.withDescription("An installable or a path as well")),
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/why-depends.ts"),
        ({ whyDepends }) => whyDepends(flake, input),
      ),
  ).pipe(
    Command.withDescription("Show the shortest chain of references between two paths, and the files that make it"),
    Command.withExamples([
      {
        command: "tsx flake.ts why-depends ./result /nix/store/…-glibc",
        description: "Find out why something is in a closure",
      },
    ]),
  );
