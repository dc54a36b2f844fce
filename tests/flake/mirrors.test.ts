import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Cause from "effect/Cause";
import * as Layer from "effect/Layer";
import { memfs } from "memfs";
import t from "tap";
import { parseAptConfig } from "#lib/flake/apt-host.ts";
import { debianArchiveOf, parseDeb822Sources, parseSourceList } from "#lib/flake/mirrors-sources.ts";
import { discoverMirrors, readHostMirrors } from "#lib/flake/mirrors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";

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
  t.strictSame(found.archives, ["https://a.example/debian", "http://b.example/debian", "http://public.example/debian"]);
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
