import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `replay`: shows a recorded build again. */
export const replayCommand = Command.make(
  "replay",
  {
    file: Argument.String("file").pipe(Argument.withDescription("What --record wrote")),
    speed: Flag.Finite("speed").pipe(
      Flag.withDescription("How many times faster than it was; 0 does not wait at all"),
      Flag.withDefault(1),
    ),
    progress: flags.progress,
  },
  (input) =>
    lazily(
      () => import("../actions/replay.ts"),
      ({ replay }) => replay(input),
    ),
).pipe(
  Command.withDescription("Show the progress of a recorded build again"),
  Command.withExamples([
    { command: "tsx flake.ts build --record build.jsonl", description: "Record a build" },
    { command: "tsx flake.ts replay build.jsonl --speed 10", description: "Show it ten times as fast" },
  ]),
);
