import * as Effect from "effect/Effect";
import { fixedOutputOf } from "#lib/derivations/store-derivation.ts";
import { isArchiveError } from "#lib/archives/errors.ts";
import { fetchGit as fetch } from "#lib/fetchers/git.ts";
import type { Network } from "#lib/fetchers/network.ts";
import type { Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { BuiltinFailure } from "#lib/build/builtin.ts";
import type { BuiltinBuilder, BuiltinContext } from "#lib/build/builtin.ts";
import { archiveFailure, fetchFailure } from "./failures.ts";

type Services = FileSystem | Processes | Network | Events;

/**
 * Exports one revision of a git repository, which the derivation's fixed
 * output pins by the hash of its tree ("recursive"). Variables:
 *
 * - `url` and `revision`, the full hash of a commit;
 * - `links`: "root" if symbolic links may be absolute, as in skeletons of root file systems.
 */
export const fetchGit: Effect.Effect<BuiltinBuilder, never, Services> = Effect.gen(function* () {
  const services = yield* Effect.context<Services>();
  return {
    name: "builtin:fetch-git",
    build: (context) => build(context).pipe(Effect.provide(services)),
  } satisfies BuiltinBuilder;
});

const build = Effect.fnUntraced(function* ({ derivation, env, outputs, scratch, log }: BuiltinContext) {
  const { out } = outputs;
  const { url = "", revision = "" } = env;
  if (out === undefined || fixedOutputOf(derivation)?.mode !== "recursive") {
    const reason = `'${derivation.name}' fetches a tree but is no fixed-output derivation with a recursive hash`;
    return yield* new BuiltinFailure({ kind: "build", reason });
  }
  if (url === "") return yield* new BuiltinFailure({ kind: "build", reason: `'${derivation.name}' names no 'url'` });
  const links = env["links"] === "root" ? "root" : "tree";
  yield* fetch({ name: derivation.name, url, revision, destination: out, scratch, links }).pipe(
    Effect.mapError((error) => (isArchiveError(error) ? archiveFailure(error) : fetchFailure(error))),
  );
  log(`fetched ${revision} of ${url}`);
});
