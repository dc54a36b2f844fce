import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

/** `store verify`: compares everything with what was registered. */
export const verifyCommand = (flake: LocatedFlake) =>
  Command.make(
    "verify",
    {
      repair: Flag.Boolean("repair").pipe(
        Flag.withDescription("Take damaged paths from a cache, or build them again"),
        Flag.withDefault(false),
      ),
      ...flags.substitution,
      json: flags.json,
      progress: flags.progress,
    },
    (input) =>
      lazily(
        () => import("../../actions/store/verify.ts"),
        ({ verify }) => verify(flake, input),
      ),
  ).pipe(
    Command.withDescription("Compare everything in the store with its hash, and mend it if asked to"),
    Command.withExamples([
      { command: "tsx flake.ts store verify --repair", description: "After a disk reported errors" },
    ]),
  );
