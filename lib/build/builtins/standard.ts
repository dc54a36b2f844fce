import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type { Mirrors } from "#lib/fetchers/mirrors.ts";
import type { Network } from "#lib/fetchers/network.ts";
import type { Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { Builtins } from "#lib/build/builtin.ts";
import { fetchGit } from "./fetch-git.ts";
import { fetchUrl } from "./fetch-url.ts";
import { mergeArchives } from "./merge-archives.ts";
import { unpackArchive } from "./unpack-archive.ts";
import { unpackDebian } from "./unpack-debian.ts";
import { verifiedSource } from "./verify-signature.ts";

/** All builders that run inside the engine. `partial` keeps unfinished downloads; see `fetchUrl`. */
export const standardBuiltins = (options: {
  readonly partial: string;
}): Layer.Layer<Builtins, never, FileSystem | Processes | Network | Mirrors | Events> =>
  Layer.unwrap(
    Effect.map(Effect.all([fetchUrl(options), fetchGit, unpackArchive, unpackDebian, mergeArchives, verifiedSource]), (builders) => Builtins.layer(builders)),
  );
