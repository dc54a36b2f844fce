import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `check`: evaluates every option of every system, then builds the images and boots them. */
export const checkCommand = (flake: LocatedFlake) =>
  Command.make(
    "check",
    {
      names: Argument.String("check").pipe(
        Argument.withDescription("Checks to run; all of them by default"),
        Argument.variadic(),
      ),
      ...flags.building,
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/check.ts"),
        ({ check }) => check(flake, input),
      ),
  ).pipe(
    Command.withDescription("Evaluate everything, and boot-test the images in QEMU"),
    Command.withExamples([
      { command: "tsx flake.ts check", description: "Run all checks" },
      { command: "tsx flake.ts check helios-cm5 --json", description: "Run one, and print every assertion as JSON" },
    ]),
  );
