import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

/** `store pull`: takes closures out of a binary cache. */
export const pullCommand = (flake: LocatedFlake) =>
  Command.make(
    "pull",
    {
      url: Argument.String("url").pipe(Argument.withDescription("The cache: file:///…, http://… or https://…")),
      installables: flags.installablesOrPaths,
      trustedPublicKeys: flags.substitution.trustedPublicKeys,
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../../actions/store/pull.ts"),
        ({ pull }) => pull(flake, input),
      ),
  ).pipe(
    Command.withDescription("Take what was built elsewhere, and all that it needs, out of a binary cache"),
    Command.withExamples([
      {
        command: "tsx flake.ts store pull http://127.0.0.1:8080 .#helios-cm5 --trusted-public-keys cache:…",
        description: "Take an image",
      },
    ]),
  );
