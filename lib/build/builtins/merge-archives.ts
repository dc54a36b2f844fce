import * as Effect from "effect/Effect";
import { attempt, InvalidLayer } from "#lib/archives/errors.ts";
import { decodeLayers } from "#lib/archives/layers.ts";
import { mergeLayers } from "#lib/archives/merge.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { BuiltinBuilder, BuiltinContext } from "#lib/build/builtin.ts";
import { archiveFailure } from "./failures.ts";
import { flag, parse, wholeNumber } from "./variables.ts";

/**
 * Merges `.deb` files, tar archives and single entries into one root file
 * system. Variables:
 *
 * - `layers`: JSON, lowest first (see `lib/archives/layers.ts`), or the path of a store file with that JSON;
 * - `mtime`: the time of every entry in seconds since 1970, default 1;
 * - `usrMerge`: empty for a tree with real /bin and /lib; default yes.
 *
 * Outputs: `out`, the tar; `manifest`, if declared, its JSON lines.
 */
export const mergeArchives: Effect.Effect<BuiltinBuilder, never, FileSystem | Processes> = Effect.gen(function* () {
  const services = yield* Effect.context<FileSystem | Processes>();
  return {
    name: "builtin:merge-archives",
    build: (context) => merge(context).pipe(Effect.mapError(archiveFailure), Effect.provide(services)),
  } satisfies BuiltinBuilder;
});

/** Files with something that is lost, as many as are named in a log. */
const mostLost = 100;

const merge = Effect.fnUntraced(function* ({ env, outputs, physical, scratch, log }: BuiltinContext) {
  const fs = yield* FileSystem;
  const { out, manifest } = outputs;
  if (out === undefined)
    return yield* new InvalidLayer({ layer: "layers", reason: "the derivation has no output 'out'" });
  const readText = (path: string): Promise<string> => fs.promises.readFile(physical(path), "utf8");
  const options = yield* attempt(scratch, async () => {
    const text = env["layers"] ?? "";
    const json = parse("layers", text.startsWith("/") ? await readText(text) : text);
    return {
      layers: await decodeLayers(json, { physical, readText }),
      mtime: wholeNumber(env, "mtime", 1),
      usrMerge: flag(env, "usrMerge", true),
    };
  });
  const { layers } = options;
  const summary = yield* mergeLayers({
    ...options,
    output: out,
    ...(manifest === undefined ? {} : { manifest }),
    scratch,
  });
  for (const lost of summary.unread.slice(0, mostLost)) log(`not taken over: ${lost}`);
  if (summary.unread.length > mostLost) log(`… and of ${summary.unread.length - mostLost} files more`);
  log(`merged ${layers.length} layers: ${summary.entries} entries, ${summary.bytes} bytes in ${summary.files} files`);
});
