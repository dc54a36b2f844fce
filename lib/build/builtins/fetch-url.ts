import * as Effect from "effect/Effect";
import { fixedOutputOf } from "#lib/derivations/store-derivation.ts";
import { download } from "#lib/fetchers/download.ts";
import { poolUrls, type Mirrors } from "#lib/fetchers/mirrors.ts";
import { isNpmName, npmTarballUrl } from "#lib/fetchers/npm.ts";
import { npmRegistry } from "#lib/fetchers/npm-registry.ts";
import type { Network } from "#lib/fetchers/network.ts";
import type { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { BuiltinFailure } from "#lib/build/builtin.ts";
import type { BuiltinBuilder, BuiltinContext } from "#lib/build/builtin.ts";
import { fetchFailure } from "./failures.ts";
import { words } from "./variables.ts";

type Services = FileSystem | Processes | Network | Mirrors | Events;

/**
 * Downloads one file, which the derivation's fixed output pins. Variables:
 *
 * - `path`: a path in Debian's archive, tried on every mirror ("pool/main/…");
 * - or `npm`: "name@version", fetched from the registry that the host's npm uses;
 * - or `urls`: URLs, tried in order;
 * - `size`: bytes, if known; more are never accepted.
 *
 * `partial` is a directory that outlives builds and lies on the outputs' file
 * system: what has arrived stays there until the file is complete.
 */
export const fetchUrl = (options: { readonly partial: string }): Effect.Effect<BuiltinBuilder, never, Services> =>
  Effect.gen(function* () {
    const services = yield* Effect.context<Services>();
    return {
      name: "builtin:fetch-url",
      build: (context) => fetch(context, options.partial).pipe(Effect.provide(services)),
    } satisfies BuiltinBuilder;
  });

const fetch = Effect.fnUntraced(function* ({ derivation, env, outputs, log }: BuiltinContext, partial: string) {
  const fs = yield* FileSystem;
  const { name } = derivation;
  const fixed = fixedOutputOf(derivation);
  const { out } = outputs;
  if (fixed === undefined || fixed.mode !== "flat" || out === undefined) {
    return yield* invalid(`'${name}' fetches a file but is no fixed-output derivation with a flat hash`);
  }
  const path = env["path"] || env["npm"] || "";
  const urls = yield* urlsOf(name, env);
  if (urls.length === 0) return yield* invalid(`'${name}' names neither 'path' nor 'npm' nor 'urls' to fetch from`);
  const size = env["size"] ?? "";
  if (!/^[0-9]{0,15}$/.test(size)) return yield* invalid(`the size '${size}' of '${name}' is not a whole number`);
  yield* Effect.tryPromise({
    try: () => fs.promises.mkdir(partial, { recursive: true }),
    catch: (cause) => new BuiltinFailure({ kind: "store", reason: `cannot make ${partial}`, cause }),
  });
  yield* download({
    name,
    urls,
    hash: fixed.hash,
    ...(size === "" ? {} : { size: Number(size) }),
    destination: out,
    partial,
    ...(path === "" ? {} : { path }),
  }).pipe(Effect.mapError(fetchFailure));
  log(`fetched ${path === "" ? urls[0] : path}`);
});

const urlsOf = Effect.fnUntraced(function* (name: string, env: BuiltinContext["env"]) {
  const { path = "", npm = "" } = env;
  if (path !== "") return yield* poolUrls(name, path).pipe(Effect.mapError(fetchFailure));
  if (npm === "") return words(env, "urls");
  const at = npm.lastIndexOf("@");
  const [packageName, version] = [npm.slice(0, Math.max(at, 0)), npm.slice(at + 1)];
  if (!isNpmName(packageName) || version === "")
    return yield* invalid(`'${npm}' of '${name}' is not of the form name@version`);
  const registry = yield* npmRegistry().pipe(Effect.mapError(fetchFailure));
  return [npmTarballUrl(registry, packageName, version)];
});

function invalid(reason: string): BuiltinFailure {
  return new BuiltinFailure({ kind: "build", reason });
}
