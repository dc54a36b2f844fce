import * as Command from "effect/cli/Command";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { gcCommand } from "./store/gc.ts";
import { generateKeyCommand } from "./store/generate-key.ts";
import { pullCommand } from "./store/pull.ts";
import { pushCommand } from "./store/push.ts";
import { rootsCommand } from "./store/roots.ts";
import { serveCommand } from "./store/serve.ts";
import { verifyCommand } from "./store/verify.ts";

/** `store`: tends the store, and exchanges with binary caches. */
export const storeCommand = (flake: LocatedFlake) =>
  Command.make("store").pipe(
    Command.withDescription("Tend the store, and exchange with binary caches"),
    Command.withSubcommands([
      gcCommand,
      verifyCommand(flake),
      rootsCommand,
      pushCommand(flake),
      pullCommand(flake),
      serveCommand,
      generateKeyCommand,
    ]),
  );
