import t from "tap";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { decodeLayers } from "#lib/archives/layers.ts";
import { makePackages } from "#pkgs/index.ts";
import { defaultEntries, identityEntries } from "#pkgs/rootfs/defaults.ts";
import { type Entry, file } from "#pkgs/rootfs/entry.ts";
import { maintainerScriptAccounts, maintainerScriptEntries } from "#pkgs/rootfs/maintainer-scripts.ts";
import { pamEntries } from "#pkgs/rootfs/pam.ts";
import type { RootFileSystemOptions } from "#pkgs/rootfs/rootfs.ts";
import { inventedLock } from "./lock.ts";

const nothing = () => false;
const everything = () => true;
const only =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name);

function rootfs(change: Partial<RootFileSystemOptions> = {}) {
  const pkgs = makePackages({ lock: inventedLock() });
  const base = pkgs.startingPoint({ name: "base", packages: ["systemd"] });
  return pkgs.rootfs({
    name: "rootfs",
    base,
    identity: { hostName: "tester" },
    users: [],
    groups: [],
    layers: [],
    ...change,
  });
}

interface WrittenLayer {
  readonly name: string;
  readonly entries?: readonly Entry[];
}

const layersOf = (archive: Derivation): WrittenLayer[] => JSON.parse(archive.env.get("layers") ?? "[]");

const entryOf = (entries: readonly Entry[], path: string) => entries.find((entry) => entry.path === path);

t.test("layers are in a form that the merging builder accepts", async (t) => {
  const { archive } = rootfs({ layers: [{ name: "stage", entries: [file("/etc/motd", "hello\n")] }] });
  const decoded = await decodeLayers(layersOf(archive), { physical: (path) => path, readText: async () => "[]" });
  t.strictSame(
    decoded.map((layer) => layer.name),
    ["base", "accounts", "defaults", "stage"],
  );
});

t.test("a default gives way to an entry of any layer", async (t) => {
  const hosts = (layers: RootFileSystemOptions["layers"]) =>
    layersOf(rootfs({ layers }).archive).filter((layer) => entryOf(layer.entries ?? [], "/etc/hosts") !== undefined);
  t.strictSame(
    hosts([]).map((layer) => layer.name),
    ["defaults"],
  );
  t.strictSame(
    hosts([{ name: "networking", entries: [file("/etc/hosts", "")] }]).map((layer) => layer.name),
    ["networking"],
  );
});

t.test("no path has two defaults", async (t) => {
  const paths = [...identityEntries({ hostName: "tester" }), ...defaultEntries(everything)].map((entry) => entry.path);
  t.strictSame(
    paths.filter((path, index) => paths.indexOf(path) !== index),
    [],
  );
});

t.test("root is locked unless it is declared", async (t) => {
  const accountsOf = (users: RootFileSystemOptions["users"]): string => {
    const { archive } = rootfs({ users });
    const source = entryOf(
      layersOf(archive).find((layer) => layer.name === "accounts")?.entries ?? [],
      "/etc/passwd",
    )?.source;
    return source ?? "";
  };
  const declared = { name: "root", uid: 0, group: "root", home: "/root", shell: "/bin/sh", hashedPassword: "$y$x" };
  t.not(accountsOf([]), accountsOf([declared]));
  t.throws(() => rootfs({ users: [{ ...declared, description: "two:fields" }] }), {
    message: /user 'root' has "two:fields"/,
  });
  t.throws(() => rootfs({ groups: [{ name: "a\nb", gid: 1000 }] }), { message: /line breaks/ });
});

t.test("shadow files are for root and the group shadow only", async (t) => {
  const accounts = layersOf(rootfs().archive).find((layer) => layer.name === "accounts")?.entries ?? [];
  for (const path of ["/etc/shadow", "/etc/gshadow"]) {
    t.match(entryOf(accounts, path), { mode: "0640", gid: 42 }, path);
  }
});

t.test("a home directory belongs to its user and the user's group", async (t) => {
  const accounts = layersOf(
    rootfs({
      users: [{ name: "ada", uid: 1000, group: "staffers", home: "/home/ada", shell: "/bin/sh", createHome: true }],
      groups: [{ name: "staffers", gid: 1500 }],
    }).archive,
  ).find((layer) => layer.name === "accounts")?.entries;
  t.match(entryOf(accounts ?? [], "/home/ada"), { type: "directory", mode: "0700", uid: 1000, gid: 1500 });
});

t.test("alternatives are links of the packages that are there, the better one winning", async (t) => {
  const pager = (...names: string[]) => entryOf(maintainerScriptEntries(only(...names)), "/usr/bin/pager")?.target;
  t.equal(pager("util-linux"), "more");
  t.equal(pager("util-linux", "less"), "less");
  t.equal(pager(), undefined);
});

t.test("accounts of maintainer scripts come with their packages", async (t) => {
  t.strictSame(maintainerScriptAccounts(nothing), []);
  t.strictSame(maintainerScriptAccounts(only("openssh-client")), ["g _ssh -"]);
});

t.test("logins are registered with logind where its PAM module is installed", async (t) => {
  const session = (has: (name: string) => boolean) =>
    entryOf(pamEntries(has), "/etc/pam.d/common-session")?.content ?? "";
  t.match(session(only("libpam-systemd")), /pam_systemd\.so/);
  t.notMatch(session(nothing), /pam_systemd\.so/);
});

t.test("names are resolved by the services that are installed", async (t) => {
  const hosts = (has: (name: string) => boolean) =>
    /^hosts: (.*)$/m.exec(entryOf(defaultEntries(has), "/etc/nsswitch.conf")?.content ?? "")?.[1];
  t.equal(hosts(nothing), "files dns");
  t.equal(hosts(only("libnss-resolve")), "files resolve [!UNAVAIL=return] dns");
});

t.test("certificates are bundled where the package is there", async (t) => {
  const pkgs = makePackages({ lock: inventedLock() });
  const bundle = (...packages: string[]) =>
    entryOf(pkgs.startingPoint({ name: "base", packages }).entries, "/etc/ssl/certs/ca-certificates.crt");
  t.equal(bundle("systemd"), undefined);
  t.match(bundle("systemd", "ca-certificates"), { type: "file", mode: "0644" });
});
