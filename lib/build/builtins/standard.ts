import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { type BuiltinBuilder, Builtins } from "#lib/build/builtin.ts";
import type { Mirrors } from "#lib/fetchers/mirrors.ts";
import type { Network } from "#lib/fetchers/network.ts";
import type { Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";

/** What builtin builders work with. */
type BuiltinServices = FileSystem | Processes | Network | Mirrors | Events;

/** Loads the code of a builder, and makes it. */
type LoadBuilder = () => Promise<Effect.Effect<BuiltinBuilder, never, BuiltinServices>>;

/**
 * All builders that run inside the engine. `partial` keeps unfinished downloads; see `fetchUrl`.
 *
 * A build that finds everything done needs none of them, so each is loaded by the first derivation that does.
 */
export const standardBuiltins = (options: {
  readonly partial: string;
}): Layer.Layer<Builtins, never, BuiltinServices> => {
  const builders: Readonly<Record<string, LoadBuilder>> = {
    "builtin:fetch-git": async () => (await import("./fetch-git.ts")).fetchGit,
    "builtin:fetch-url": async () => (await import("./fetch-url.ts")).fetchUrl(options),
    "builtin:merge-archives": async () => (await import("./merge-archives.ts")).mergeArchives,
    "builtin:unpack-archive": async () => (await import("./unpack-archive.ts")).unpackArchive,
    "builtin:unpack-debian": async () => (await import("./unpack-debian.ts")).unpackDebian,
    "builtin:verify-signature": async () => (await import("./verify-signature.ts")).verifiedSource,
  };
  return Layer.unwrap(
    Effect.map(Effect.context<BuiltinServices>(), (services) =>
      Builtins.layer(
        Object.entries(builders).map(([name, load]) => ({
          name,
          build: (context) =>
            Effect.promise(load).pipe(
              Effect.flatMap(Effect.provideContext(services)),
              Effect.flatMap((builder) => builder.build(context)),
            ),
        })),
      ),
    ),
  );
};
