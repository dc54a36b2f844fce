/**
 * Debian's archive: its mirrors, and apt. Long, since apt takes seconds to start: all tests that run it share one
 * archive, and one process.
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { memfs } from "memfs";
import { readKey } from "openpgp";
import t from "tap";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAptConfig } from "#lib/flake/apt-host.ts";
import { complaints, explainConflict, isUntrusted, parsePrintedUris } from "#lib/flake/apt-output.ts";
import { debianKeyring, resolve, type ResolveOptions } from "#lib/flake/apt.ts";
import type { LockError, ResolveError } from "#lib/flake/errors.ts";
import { printLock } from "#lib/flake/lock-file.ts";
import { parseLock } from "#lib/flake/lock-parse.ts";
import { refresh, resolveMissing } from "#lib/flake/lock-update.ts";
import { emptyLock, type EnvironmentRequest, type LockedPackage, viewLock } from "#lib/flake/lock.ts";
import { debianArchiveOf, parseDeb822Sources, parseSourceList } from "#lib/flake/mirrors-sources.ts";
import { discoverMirrors, readHostMirrors } from "#lib/flake/mirrors.ts";
import { editDistance, suggest } from "#lib/flake/similar-names.ts";
import { type EngineEvent, Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { bubblewrapRequest } from "#pkgs/bubblewrap.ts";
import { type FakeArchive, type FakePackage, fakeSha256, makeKey, poolPath, serveArchive } from "./apt-archive.ts";

// Real programs on a machine that may be busy.
t.setTimeout(600_000);

const disk = (files: Record<string, string>) => memfs(files, "/").fs as unknown as FileSystemShape;

/** `discoverMirrors` on a host with these files and without apt's programs. */
async function discover(files: Record<string, string>, environment: NodeJS.ProcessEnv = {}) {
  const services = Layer.merge(Layer.succeed(FileSystem, disk(files)), Processes.layer);
  const input = { archives: ["http://public.example/debian/"], security: ["http://public.example/debian-security/"] };
  const exit = await Effect.runPromiseExit(
    discoverMirrors(input, { PATH: "/nonexistent", ...environment }).pipe(Effect.provide(services)),
  );
  if (Exit.isSuccess(exit)) return exit.value;
  throw Cause.squash(exit.cause);
}

const cloudImage = `# A comment
Types: deb deb-src
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: bookworm bookworm-updates
# URIs: http://comment.example/debian
  bookworm-backports
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 debian-archive
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: mirror+file:/etc/apt/mirrors/security.list
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main
`;

t.test("mirrors", async (t) => {
  t.test("mirrors of the host's apt configuration come before the flake's", async (t) => {
    t.strictSame(
      await discover({
        "/etc/apt/sources.list":
          "deb http://near.example/debian/ bookworm main contrib\ndeb http://near.example/debian-security bookworm-security main\n",
      }),
      {
        archives: ["http://near.example/debian", "http://public.example/debian"],
        security: ["http://near.example/debian-security", "http://public.example/debian-security"],
      },
    );
  });

  t.test("mirror lists in files are read, in order and without repetitions", async (t) => {
    const found = await discover({
      "/etc/apt/sources.list.d/debian.sources": cloudImage,
      "/etc/apt/sources.list.d/old.list.disabled": "deb http://old.example/debian bookworm main\n",
      "/etc/apt/mirrors/debian.list":
        "https://a.example/debian\tpriority:1\n\nhttp://b.example/debian/\nhttps://a.example/debian\n",
      "/etc/apt/mirrors/security.list": "http://a.example/debian-security\n",
    });
    t.strictSame(found.archives, [
      "https://a.example/debian",
      "http://b.example/debian",
      "http://public.example/debian",
    ]);
    t.strictSame(found.security, ["http://a.example/debian-security", "http://public.example/debian-security"]);
  });

  t.test("the variable replaces the host's configuration", async (t) => {
    const files = { "/etc/apt/sources.list": "deb http://near.example/debian bookworm main\n" };
    t.strictSame(
      await discover(files, {
        HELIOS_DEBIAN_MIRROR: "http://x.example/debian/, http://y.example/mirror http://x.example/debian-security",
      }),
      {
        archives: ["http://x.example/debian", "http://y.example/mirror", "http://public.example/debian"],
        security: ["http://x.example/debian-security", "http://public.example/debian-security"],
      },
    );
    await t.rejects(discover(files, { HELIOS_DEBIAN_MIRROR: "ftp://x.example/debian" }), {
      message: /^\$HELIOS_DEBIAN_MIRROR: 'ftp:\/\/x.example\/debian' is not a mirror/,
    });
  });

  t.test("only Debian's own archives count", async (t) => {
    const archiveOf = (line: string) => {
      const source = parseSourceList(line)[0]!;
      return debianArchiveOf(source, source.uris[0]!);
    };
    const cases: readonly (readonly [line: string, archive: "main" | "security" | undefined])[] = [
      ["deb http://m.example/debian trixie main", "main"],
      [
        "deb [ arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ] http://m.example/any stable main",
        "main",
      ],
      ["deb http://m.example/cache/debian-remote trixie main # company cache", "main"],
      ["deb http://m.example/archive/debian/20250520T000000Z bookworm main", "main"],
      ["deb http://m.example/debian-security trixie-security main", "security"],
      ["deb http://m.example/debian-security buster/updates main", "security"],
      ["deb-src http://m.example/debian trixie main", undefined],
      ["deb http://m.example/ubuntu noble main universe", undefined],
      ["deb [signed-by=/etc/apt/keyrings/docker.asc] https://vendor.example/linux/debian bookworm stable", undefined],
      ["deb [signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.example/debian/12/prod bookworm main", undefined],
      ["deb https://vendor.example/php bookworm main", undefined],
      ["deb http://m.example/postgresql bookworm-pgdg main", undefined],
      ["deb https://vendor.example/node_20.x nodistro main", undefined],
    ];
    for (const [line, archive] of cases) t.equal(archiveOf(line), archive, line);
    t.strictSame(parseSourceList("# deb http://m.example/debian trixie main\n\ndeb\ndeb http://only.example\n"), []);
  });

  t.test("the deb822 syntax", async (t) => {
    const [cloud, security, ...others] = parseDeb822Sources(cloudImage);
    t.strictSame(others, [], "a disabled source is none");
    t.strictSame(cloud?.suites, ["bookworm", "bookworm-updates", "bookworm-backports"]);
    t.strictSame(cloud?.types, ["deb", "deb-src"]);
    t.match(cloud?.signedBy, /debian-archive/);
    t.equal(security?.signedBy, undefined);
    for (const word of ["no", "False", "off", "without", "disable", "0"]) {
      t.strictSame(parseDeb822Sources(`Enabled: ${word}\nTypes: deb\nURIs: http://m.example/debian`), [], word);
    }
    t.strictSame(parseDeb822Sources("types:deb\nuris:http://m.example/debian\nsuites:sid\ncomponents:main"), [
      { types: ["deb"], uris: ["http://m.example/debian"], suites: ["sid"], components: ["main"], signedBy: undefined },
    ]);
  });

  t.test("apt's own configuration says where its sources are and how to reach the network", async (t) => {
    const host = parseAptConfig(`Dir "/";
Dir::Etc "opt/apt";
Dir::Etc::sourcelist "my.list";
Dir::Etc::sourceparts "/srv/parts";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::http::Proxy::near.example "DIRECT";
Acquire::https::CaInfo "/etc/ca.pem";
Acquire::Check-Valid-Until "false";
Acquire::Languages:: "none";
Acquire::https "";
APT::Install-Recommends "true";
`);
    t.equal(host.sourceList, "/opt/apt/my.list");
    t.equal(host.sourceParts, "/srv/parts");
    t.strictSame(host.network, [
      ["Acquire::http::Proxy", "http://proxy.example:3128"],
      ["Acquire::http::Proxy::near.example", "DIRECT"],
      ["Acquire::https::CaInfo", "/etc/ca.pem"],
      ["Acquire::Check-Valid-Until", "false"],
    ]);
    const files = disk({
      "/opt/apt/my.list": "deb http://one.example/debian trixie main\n",
      "/srv/parts/x.list": "deb http://two.example/debian trixie main\n",
    });
    t.strictSame((await readHostMirrors(files, host)).archives, [
      "http://one.example/debian",
      "http://two.example/debian",
    ]);
  });
});

const withoutApt = spawnSync("apt-get", ["--version"]).status === 0 ? false : "apt is not installed";

const amd64 = (
  name: string,
  packages: readonly string[],
  more: Partial<EnvironmentRequest> = {},
): EnvironmentRequest => ({
  name,
  suite: "trixie",
  components: ["main"],
  architectures: ["amd64"],
  packages,
  ...more,
});

const both = (fake: FakePackage): readonly FakePackage[] => [fake, { ...fake, Architecture: "arm64" }];

const trixie: readonly FakePackage[] = [
  ...both({ Package: "libc6", Version: "2.41-12+deb13u4", "Multi-Arch": "same" }),
  ...both({ Package: "bash", Version: "5.2.37-2+b10", Essential: "yes", Depends: "libc6 (>= 2.36), base" }),
  { Package: "base", Version: "13", Architecture: "all", "Multi-Arch": "foreign", Essential: "yes" },
  { Package: "openssh-server", Version: "1:10.0p1-7~x", Depends: "libc6, awk", Recommends: "xauth" },
  { Package: "xauth", Version: "1" },
  { Package: "mawk", Version: "1", Provides: "awk" },
  { Package: "gawk", Version: "1", Provides: "awk" },
  { Package: "kernel", Version: "6.12", Depends: "initrd-tool, hooks (= 4.12.1)" },
  { Package: "initrd-maker", Version: "0.148", Provides: "initrd-tool", Depends: "perl" },
  { Package: "hooks", Version: "4.12.1", Depends: "perl" },
  { Package: "perl", Version: "5.40" },
  { Package: "firmware", Version: "1" },
  { Package: "init-a", Version: "1", Conflicts: "init-b" },
  { Package: "init-b", Version: "1" },
];

/** Runs `resolve` against the host's real apt and returns its closures, or its error. */
async function run(
  requests: readonly EnvironmentRequest[],
  options: ResolveOptions,
  emit: (event: EngineEvent) => void = () => {},
) {
  const services = Layer.mergeAll(FileSystem.layer, Processes.layer, Events.to(emit));
  return Effect.runPromiseExit(resolve(requests, options).pipe(Effect.provide(services)));
}

function succeeded(result: Awaited<ReturnType<typeof run>>): ReadonlyMap<string, readonly LockedPackage[]> {
  if (Exit.isSuccess(result)) return result.value;
  throw Cause.squash(result.cause);
}

function failed(result: Awaited<ReturnType<typeof run>>): ResolveError {
  if (Exit.isSuccess(result)) throw new Error("it resolved");
  return Cause.squash(result.cause) as ResolveError;
}

const names = (packages: readonly LockedPackage[] | undefined): readonly string[] =>
  (packages ?? []).map(({ name, architecture }) => `${name}:${architecture}`).sort();

t.test("resolving with apt", { skip: withoutApt }, async (t) => {
  const directory = t.testdir();
  const keyring = join(directory, "keys");
  const key = await makeKey(keyring);
  const archive = await serveArchive(
    {
      trixie,
      "trixie-backports": [
        { Package: "kernel", Version: "7.2", Depends: "initrd-tool, firmware (= 2)" },
        { Package: "firmware", Version: "2" },
      ],
    },
    key,
    (stop) => t.teardown(stop),
  );
  const security = await serveArchive({ "trixie-security": [{ Package: "bash", Version: "5.2.37-3" }] }, key, (stop) =>
    t.teardown(stop),
  );
  const mirrors = { archives: [archive.url], security: [security.url] };
  // The host's own apt configuration may name a proxy, which would be asked for this machine's own server.
  const hostConfiguration = join(directory, "host.conf");
  await writeFile(hostConfiguration, 'Dir::Etc::Parts "/dev/null";\nDir::Etc::Main "/dev/null";\n');
  const environment = { PATH: process.env["PATH"], APT_CONFIG: hostConfiguration };
  const options: ResolveOptions = { mirrors, keyring, environment };

  t.test("gives the closure with pool path, epoch, size and hash, sorted, without recommendations", async (t) => {
    const resolved = succeeded(await run([amd64("ssh", ["openssh-server", "mawk"])], options));
    const server = trixie.find((fake) => fake.Package === "openssh-server")!;
    t.strictSame(names(resolved.get("ssh")), ["libc6:amd64", "mawk:amd64", "openssh-server:amd64"]);
    t.strictSame(resolved.get("ssh")!.at(-1), {
      name: "openssh-server",
      version: "1:10.0p1-7~x",
      architecture: "amd64",
      path: poolPath(server),
      size: poolPath(server).length,
      sha256: fakeSha256(poolPath(server)),
    });
    const paths = resolved.get("ssh")!.map(({ path }) => path);
    t.strictSame(paths, paths.toSorted());
  });

  t.test("fetches the index once for all requests, and nothing of the host's", async (t) => {
    archive.requests.length = 0;
    const requests = [
      amd64("one", ["bash"]),
      { ...amd64("two", ["bash"]), architectures: ["arm64" as const] },
      amd64("three", ["perl"]),
    ];
    const resolved = succeeded(await run(requests, options));
    t.strictSame([...resolved.keys()], ["one", "two", "three"]);
    t.strictSame(names(resolved.get("two")), ["base:all", "bash:arm64", "libc6:arm64"]);
    t.equal(archive.requests.filter((path) => path === "dists/trixie/InRelease").length, 1);
  });

  t.test("takes packages of a second architecture", async (t) => {
    const resolved = succeeded(
      await run([amd64("mixed", ["bash", "libc6:arm64"], { architectures: ["amd64", "arm64"] })], options),
    );
    t.strictSame(names(resolved.get("mixed")), ["base:all", "bash:amd64", "libc6:amd64", "libc6:arm64"]);
    const native = succeeded(await run([amd64("native", ["bash"], { architectures: ["arm64", "amd64"] })], options));
    t.strictSame(names(native.get("native")), ["base:all", "bash:arm64", "libc6:arm64"], "the first is the native one");
  });

  t.test("keeps excluded packages out, real and virtual, and what only they need", async (t) => {
    const excluded = { excluded: ["initrd-tool", "hooks"] };
    const resolved = succeeded(
      await run([amd64("kernel", ["kernel"], excluded), amd64("whole", ["kernel", "initrd-maker"])], options),
    );
    t.strictSame(names(resolved.get("kernel")), ["kernel:amd64"]);
    t.strictSame(names(resolved.get("whole")), ["hooks:amd64", "initrd-maker:amd64", "kernel:amd64", "perl:amd64"]);
  });

  t.test("adds the essential packages on request, but for the excluded ones", async (t) => {
    const resolved = succeeded(
      await run(
        [amd64("all", ["perl"], { essential: true }), amd64("less", ["perl"], { essential: true, excluded: ["bash"] })],
        options,
      ),
    );
    t.strictSame(names(resolved.get("all")), ["base:all", "bash:amd64", "libc6:amd64", "perl:amd64"]);
    t.strictSame(names(resolved.get("less")), ["base:all", "perl:amd64"]);
  });

  t.test("takes security and backports only where they are asked for", async (t) => {
    const resolved = succeeded(
      await run(
        [
          amd64("main", ["bash"]),
          amd64("secure", ["bash"], { pockets: ["security"] }),
          amd64("offered", ["kernel"], { pockets: ["backports"], excluded: ["initrd-tool", "hooks"] }),
          amd64("newer", ["kernel/trixie-backports"], { pockets: ["backports"], excluded: ["initrd-tool"] }),
        ],
        options,
      ),
    );
    const version = (environment: string, name: string) =>
      resolved.get(environment)?.find((pinned) => pinned.name === name)?.version;
    t.equal(version("main", "bash"), "5.2.37-2+b10");
    t.equal(version("secure", "bash"), "5.2.37-3");
    t.equal(
      resolved.get("secure")?.find(({ name }) => name === "bash")?.path,
      "pool/updates/main/b/bash/bash_5.2.37-3_amd64.deb",
    );
    t.equal(version("offered", "kernel"), "6.12");
    t.equal(version("newer", "kernel"), "7.2");
  });

  t.test("leaves nothing behind", async (t) => {
    const temporary = join(directory, "tmp");
    await mkdir(temporary);
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = temporary;
    t.teardown(() => {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    });
    succeeded(await run([amd64("perl", ["perl"])], options));
    t.strictSame(await readdir(temporary), []);
  });

  t.test("an unknown package is named, with what may have been meant", async (t) => {
    const error = failed(await run([amd64("shell", ["perl", "openssh-sever"])], options));
    t.equal(error._tag, "PackageNotFound");
    t.equal(
      error.message,
      "environment 'shell': Debian trixie has no package 'openssh-sever'. Did you mean 'openssh-server'?",
    );
  });

  t.test("what looks like a pattern is not expanded", async (t) => {
    t.equal(failed(await run([amd64("shell", ["lib.6"])], options))._tag, "PackageNotFound");
  });

  t.test("a virtual package is refused with its providers", async (t) => {
    const error = failed(await run([amd64("shell", ["awk"])], options));
    t.match(error.message, /virtual package: name one of its providers \(gawk, mawk\)/);
  });

  t.test("a package that only another architecture has is refused", async (t) => {
    const request = { ...amd64("shell", ["perl"]), architectures: ["arm64" as const] };
    t.match(failed(await run([amd64("x", ["bash"]), request], options)), { environment: "shell", package: "perl" });
  });

  t.test("packages that cannot stand together are explained in apt's words", async (t) => {
    const error = failed(await run([amd64("init", ["init-a", "init-b"])], options));
    t.equal(error._tag, "DependencyConflict");
    t.match(error.message, /init-a : Conflicts: init-b/);
  });

  t.test("a dependency that a stand-in cannot fulfil is explained", async (t) => {
    const request = amd64("x", ["kernel/trixie-backports"], {
      pockets: ["backports"],
      excluded: ["firmware", "initrd-tool"],
    });
    const error = failed(await run([request], options));
    t.match(error, { _tag: "DependencyConflict", excluded: ["firmware", "initrd-tool"] });
    t.match(error.message, /kernel : Depends: firmware \(= 2\)/);
  });

  t.test("passes over mirrors that cannot be reached or are not signed by the keys", async (t) => {
    const stranger = await makeKey(join(directory, "strangers"));
    const forged = await serveArchive({ trixie }, stranger, (stop) => t.teardown(stop));
    const gone = "http://127.0.0.1:9/debian";
    const events: EngineEvent[] = [];
    const lists = { archives: [gone, forged.url, archive.url], security: [] };
    succeeded(await run([amd64("perl", ["perl"])], { ...options, mirrors: lists }, (event) => events.push(event)));
    t.match(events, [
      { type: "fetch-retry", url: gone },
      { type: "fetch-retry", url: forged.url, reason: /NO_PUBKEY|not signed|verif/ },
    ]);

    const error = failed(
      await run([amd64("perl", ["perl"])], { ...options, mirrors: { archives: [gone, forged.url], security: [] } }),
    );
    t.match(error, {
      _tag: "ArchiveUnreachable",
      attempts: [
        { mirror: gone, untrusted: false },
        { mirror: forged.url, untrusted: true },
      ],
    });
  });

  t.test("a changed index is refused although the signature on its list is good", async (t) => {
    const tampered = await serveArchive({ trixie }, key, (stop) => t.teardown(stop), { tamper: true });
    const error = failed(
      await run([amd64("perl", ["perl"])], { ...options, mirrors: { archives: [tampered.url], security: [] } }),
    );
    t.equal(error._tag, "ArchiveUnreachable");
    t.match(error.message, /[Hh]ash|unexpected size/);
  });

  t.test("without mirrors, without apt and without gpgv the error says what to do", async (t) => {
    t.match(
      failed(await run([amd64("x", ["perl"])], { ...options, mirrors: { archives: [], security: [] } })).message,
      /HELIOS_DEBIAN_MIRROR/,
    );
    const empty = join(directory, "no-programs");
    await mkdir(empty);
    const error = failed(await run([amd64("x", ["perl"])], { ...options, environment: { PATH: empty } }));
    t.match(error, { _tag: "AptUnusable", program: "apt-get" });
    t.match(error.message, /building reads only the lock/);
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = join(directory, "no-such-directory");
    const homeless = failed(await run([amd64("x", ["perl"])], options));
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    t.match(homeless, { _tag: "AptDirectoryUnusable", message: /no-such-directory: ENOENT[^]*\$TMPDIR/ });
  });
});

t.test("updating a lock", { skip: withoutApt }, async (t) => {
  const directory = t.testdir();
  const keyring = join(directory, "keys");
  const key = await makeKey(keyring);
  const teardown = (stop: () => void): void => t.teardown(stop);
  const older = await serveArchive({ trixie }, key, teardown);
  const newer = await serveArchive(
    { trixie: trixie.map((fake) => (fake.Package === "perl" ? { ...fake, Version: "5.42", Depends: "libc6" } : fake)) },
    key,
    teardown,
  );
  const options = (archive: FakeArchive): ResolveOptions => ({
    mirrors: { archives: [archive.url], security: [] },
    keyring,
  });
  const events: EngineEvent[] = [];
  const services = Layer.mergeAll(
    FileSystem.layer,
    Processes.layer,
    Events.to((event) => events.push(event)),
  );
  const update = <A>(effect: Effect.Effect<A, LockError, FileSystem | Processes | Events>): Promise<A> =>
    Effect.runPromise(effect.pipe(Effect.provide(services)));

  const view = viewLock(emptyLock);
  for (const name of ["one", "two"]) view.packages(amd64(name, ["perl"]));
  const first = await update(resolveMissing(emptyLock, view.missing, options(older)));

  t.test("answers what an evaluation found missing", async (t) => {
    const again = viewLock(first.lock);
    t.strictSame(names(again.packages(amd64("two", ["perl"]))), ["perl:amd64"]);
    t.equal(again.missing.size, 0);
    t.strictSame(events.splice(0), [
      { type: "lock-resolved", environment: "one", packages: 1, reason: "not locked yet" },
      { type: "lock-resolved", environment: "two", packages: 1, reason: "not locked yet" },
    ]);
  });

  t.test("moves only the named environments, says what changed, and survives the file", async (t) => {
    const { lock, changes } = await update(
      refresh(first.lock, ["one"], "perl is gone from every mirror", options(newer)),
    );
    t.strictSame(changes, [
      {
        environment: "one",
        added: [{ package: "libc6:amd64", version: "2.41-12+deb13u4" }],
        removed: [],
        changed: [{ package: "perl:amd64", from: "5.40", to: "5.42" }],
      },
    ]);
    t.equal(lock.environments.get("two"), first.lock.environments.get("two"));
    t.strictSame(events.splice(0), [
      { type: "lock-resolved", environment: "one", packages: 2, reason: "perl is gone from every mirror" },
    ]);
    t.equal(printLock(parseLock("flake.lock", Buffer.from(printLock(lock)))), printLock(lock));
  });

  t.test("finds nothing new where nothing is", async (t) => {
    const { lock, changes } = await update(refresh(first.lock, ["one", "two"], "asked for", options(older)));
    t.strictSame(changes, []);
    t.equal(printLock(lock), printLock(first.lock));
  });
});

t.test("the keys in this repository are those of Debian trixie's archive", async (t) => {
  const fingerprints: string[] = [];
  for (const name of await readdir(debianKeyring)) {
    const key = await readKey({ armoredKey: await readFile(join(debianKeyring, name), "utf8") });
    fingerprints.push(key.getFingerprint().toUpperCase());
  }
  // Automatic, stable release and security, as the package debian-archive-keyring has them.
  t.strictSame(fingerprints.sort(), [
    "04B54C3CDCA79751B16BC6B5225629DF75B188BD",
    "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
    "5E04A1E3223A19A20706E20F9904613D4CCE68C6",
  ]);
});

const offline =
  process.env["HELIOS_TEST_NETWORK"] === "1" ? withoutApt : "needs the network; set HELIOS_TEST_NETWORK=1";

t.test("Debian's own archive, by the host's mirrors", { skip: offline }, async (t) => {
  const environment = { ...process.env };
  const mirrors = await Effect.runPromise(
    discoverMirrors({ archives: [], security: [] }, environment).pipe(
      Effect.provide(Layer.merge(FileSystem.layer, Processes.layer)),
    ),
  );
  const requests = [
    bubblewrapRequest,
    { ...amd64("secure", ["libc6"]), architectures: ["arm64" as const], pockets: ["security" as const] },
  ];
  const resolved = succeeded(await run(requests, { mirrors, environment }));
  t.match(names(resolved.get("bubblewrap")), ["bubblewrap:amd64", "libc6:amd64"]);
  t.ok(names(resolved.get("secure")).includes("libc6:arm64"));
});

t.test("what apt prints", async (t) => {
  const line = `'http://m.example/debian/pool/main/o/openssh/openssh-server_10.0p1-7%2bdeb13u4_arm64.deb' openssh-server_1%3a10.0p1-7+deb13u4_arm64.deb 555388 SHA256:${"ab".repeat(32)}\n`;

  t.test("becomes a package, also where apt hides a mirror's password", async (t) => {
    for (const mirror of ["http://m.example/debian", "http://user:secret@m.example/debian"]) {
      t.strictSame(parsePrintedUris(line, [mirror]), [
        {
          name: "openssh-server",
          version: "1:10.0p1-7+deb13u4",
          architecture: "arm64",
          path: "pool/main/o/openssh/openssh-server_10.0p1-7+deb13u4_arm64.deb",
          size: 555388,
          sha256: "ab".repeat(32),
        },
      ]);
    }
  });

  t.test("is refused without a hash, from another host, or outside the pool", async (t) => {
    t.throws(
      () => parsePrintedUris(line.replace("SHA256:", "MD5Sum:"), ["http://m.example/debian"]),
      /no package, size and SHA-256/,
    );
    t.throws(() => parsePrintedUris(line, ["http://other.example/debian"]), /not a file in the archive's pool/);
    t.throws(
      () => parsePrintedUris(line.replace("main/o", "main/%2e%2e/o"), ["http://m.example/debian"]),
      /not a file in the archive's pool/,
    );
  });

  t.test("complaints lose their marks, and bad signatures are told from a bad network", async (t) => {
    t.strictSame(complaints("W: GPG error: x\nnoise\nE: Unable to fetch\n"), ["Unable to fetch", "GPG error: x"]);
    t.ok(isUntrusted("W: GPG error: http://x trixie InRelease: … NO_PUBKEY 6ED0E7B82643E131"));
    t.notOk(isUntrusted("E: Failed to fetch http://x/InRelease  Could not connect"));
    t.strictSame(explainConflict("noise\n", "E: Packages need to be removed\n"), ["Packages need to be removed"]);
  });
});

t.test("suggestions", async (t) => {
  t.strictSame(suggest("libarchive13", ["libarchive13t64", "libarchive-dev", "bash"]), ["libarchive13t64"]);
  t.strictSame(suggest("sytsemd", ["systemd", "systemd-sysv"]), ["systemd"]);
  t.strictSame(suggest("zzzzzz", ["bash", ""]), []);
  t.equal(editDistance("kitten", "sitting", 9), 3);
  t.equal(editDistance("ab", "ba", 9), 1);
});
