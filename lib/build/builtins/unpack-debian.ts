import * as Effect from "effect/Effect";
import * as Predicate from "effect/Predicate";
import { basename } from "node:path";
import { attempt, InvalidLayer } from "#lib/archives/errors.ts";
import { unpackDebianPackages } from "#lib/archives/unpack.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { BuiltinBuilder, BuiltinContext } from "#lib/build/builtin.ts";
import { archiveFailure } from "./failures.ts";
import { parse, words } from "./variables.ts";

/**
 * Unpacks Debian packages into a tool root: a tree that a sandbox mounts as
 * its root file system. Variables:
 *
 * - `packages`: store paths of `.deb` files;
 * - `links`: JSON object of symbolic links by path, for what maintainer scripts would have linked (alternatives);
 * - `exclude`: patterns of what to leave out (see `excluder`); default documentation and translations.
 */
export const unpackDebian: Effect.Effect<BuiltinBuilder, never, FileSystem | Processes> = Effect.gen(function* () {
  const services = yield* Effect.context<FileSystem | Processes>();
  return {
    name: "builtin:unpack-debian",
    build: (context) => unpack(context).pipe(Effect.mapError(archiveFailure), Effect.provide(services)),
  } satisfies BuiltinBuilder;
});

const unpack = Effect.fnUntraced(function* ({ env, outputs, physical, scratch, log }: BuiltinContext) {
  const { out } = outputs;
  if (out === undefined)
    return yield* new InvalidLayer({ layer: "packages", reason: "the derivation has no output 'out'" });
  const packages = words(env, "packages").map((path) => ({ name: packageName(path), path: physical(path) }));
  const links = yield* attempt(scratch, async () => decodeLinks(parse("links", env["links"] || "{}")));
  yield* unpackDebianPackages({
    packages,
    destination: out,
    scratch,
    exclude: env["exclude"] === undefined ? unneeded : words(env, "exclude"),
    links,
    files: standardFiles,
    directories: standardDirectories,
  });
  log(`unpacked ${packages.length} packages`);
});

/** What no tool reads, and half of the files in many packages. */
const unneeded = [
  "usr/share/doc",
  "usr/share/doc-base",
  "usr/share/info",
  "usr/share/lintian",
  "usr/share/locale",
  "usr/share/man",
  "usr/share/bug",
];

/** Mount points and what programs expect to exist. */
const standardDirectories = [
  "build",
  "dev",
  "etc",
  "nix/store",
  "proc",
  "root",
  "run",
  "sys",
  "tmp",
  "usr/bin",
  "var/tmp",
];

/**
 * The little of /etc that the C library asks for. Debian makes these in
 * maintainer scripts. The two users are those that a sandbox may run as.
 */
const standardFiles = {
  "etc/passwd": [
    "root:x:0:0:root:/root:/bin/sh",
    "build:x:1000:1000:build:/build:/bin/sh",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    "",
  ].join("\n"),
  "etc/group": ["root:x:0:", "tty:x:5:", "build:x:1000:", "nogroup:x:65534:", ""].join("\n"),
  "etc/hosts": ["127.0.0.1 localhost", "::1 localhost", ""].join("\n"),
  "etc/nsswitch.conf": ["passwd: files", "group: files", "hosts: files", "services: files", ""].join("\n"),
};

/** "libc6_2.41_arm64.deb" of "/nix/store/<hash>-libc6_2.41_arm64.deb". */
function packageName(path: string): string {
  return basename(path).replace(/^[0-9a-z]{32}-/, "");
}

function decodeLinks(json: unknown): Readonly<Record<string, string>> {
  const valid =
    Predicate.isReadonlyObject(json) && !Array.isArray(json) && Object.values(json).every(Predicate.isString);
  if (!valid) throw new InvalidLayer({ layer: "links", reason: "expected an object of link targets by path" });
  return json as Readonly<Record<string, string>>;
}
