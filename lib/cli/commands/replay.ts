import { defineCommand, argument, numberFlag, withFallback } from "../command.ts";
import * as flags from "../flags.ts";

/** `replay`: shows a recorded build again. */
export const replayCommand = defineCommand({
  name: "replay",
  description: "Show the progress of a recorded build again",
  examples: [
    { command: "npx tsx flake.ts build --record build.jsonl", description: "Record a build" },
    { command: "npx tsx flake.ts replay build.jsonl --speed 10", description: "Show it ten times as fast" },
  ],
  parameters: {
    file: argument("file", "What --record wrote"),
    speed: withFallback(numberFlag("speed", "How many times faster than it was; 0 does not wait at all"), 1),
    progress: flags.progress,
  },
  run: async (_flake, input) => (await import("../actions/replay.ts")).replay(input),
});
