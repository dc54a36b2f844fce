import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../flags.ts";
import { lazily } from "../lazily.ts";

/** `path-info`: shows what the store knows of paths. */
export const pathInfoCommand = (flake: LocatedFlake) =>
  Command.make(
    "path-info",
    {
      installables: flags.installablesOrPaths,
      size: Flag.Boolean("size").pipe(
        Flag.withAlias("s"),
        Flag.withDescription("Also show the size"),
        Flag.withDefault(false),
      ),
      closureSize: Flag.Boolean("closure-size").pipe(
        Flag.withAlias("S"),
        Flag.withDescription("Also show the size of all that it needs at run time"),
        Flag.withDefault(false),
      ),
      recursive: Flag.Boolean("recursive").pipe(
        Flag.withAlias("r"),
        Flag.withDescription("Show all that it needs at run time too"),
        Flag.withDefault(false),
      ),
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../actions/path-info.ts"),
        ({ pathInfo }) => pathInfo(flake, input),
      ),
  ).pipe(
    Command.withDescription("Show what is known of paths"),
    Command.withExamples([
      { command: "tsx flake.ts path-info -rS ./result", description: "List a closure with sizes" },
    ]),
  );
