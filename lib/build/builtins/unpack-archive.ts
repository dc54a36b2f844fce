import * as Effect from "effect/Effect";
import { attempt, InvalidLayer } from "#lib/archives/errors.ts";
import { unpackTree } from "#lib/archives/unpack-tree.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { BuiltinBuilder, BuiltinContext } from "#lib/build/builtin.ts";
import { archiveFailure } from "./failures.ts";
import { wholeNumber, words } from "./variables.ts";

/**
 * Unpacks a source archive: tar or cpio (plain, gzip, xz, zstd) or zip,
 * recognised by content. npm's tarballs are such. Variables:
 *
 * - `src`: the archive's store path;
 * - `strip`: leading directories to leave away, default 1;
 * - `exclude`: patterns of what to leave out (see `excluder`);
 * - `links`: "root" if symbolic links may be absolute, as in skeletons of root file systems.
 */
export const unpackArchive: Effect.Effect<BuiltinBuilder, never, FileSystem | Processes> = Effect.gen(function* () {
  const services = yield* Effect.context<FileSystem | Processes>();
  return {
    name: "builtin:unpack-archive",
    build: (context) => unpack(context).pipe(Effect.mapError(archiveFailure), Effect.provide(services)),
  } satisfies BuiltinBuilder;
});

const unpack = Effect.fnUntraced(function* ({ env, outputs, physical, scratch, log }: BuiltinContext) {
  const { out } = outputs;
  const src = env["src"] ?? "";
  if (out === undefined) return yield* new InvalidLayer({ layer: "src", reason: "the derivation has no output 'out'" });
  if (src === "") return yield* new InvalidLayer({ layer: "src", reason: "the variable is missing" });
  const strip = yield* attempt(scratch, async () => wholeNumber(env, "strip", 1));
  const links = env["links"] === "root" ? "root" : "tree";
  yield* unpackTree({ archive: physical(src), destination: out, strip, exclude: words(env, "exclude"), links });
  log(`unpacked ${src}`);
});
