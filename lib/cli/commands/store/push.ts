import * as Argument from "effect/cli/Argument";
import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

const compressions = ["zstd", "xz", "gzip", "none"] as const;

/** `store push`: copies closures into a binary cache. */
export const pushCommand = (flake: LocatedFlake) =>
  Command.make(
    "push",
    {
      url: Argument.String("url").pipe(Argument.withDescription("The cache: file:///…, http://… or https://…")),
      installables: flags.installablesOrPaths,
      secretKeyFile: Flag.String("secret-key-file").pipe(
        Flag.withDescription("Sign with the key in this file; see 'store generate-key'"),
        Flag.withMetavar("FILE"),
        Flag.optional,
      ),
      compression: Flag.Literals("compression", compressions).pipe(
        Flag.withDescription("How archives are compressed"),
        Flag.withDefault("zstd" as const),
      ),
      json: flags.json,
      ...flags.watching,
    },
    (input) =>
      lazily(
        () => import("../../actions/store/push.ts"),
        ({ push }) => push(flake, input),
      ),
  ).pipe(
    Command.withDescription("Copy what is built, and all that it needs, into a binary cache in Nix's format"),
    Command.withExamples([
      {
        command: "tsx flake.ts store push file:///srv/cache .#helios-cm5 --secret-key-file cache.secret",
        description: "Share an image",
      },
    ]),
  );
