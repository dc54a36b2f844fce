/** The recipes of packages, and the entries of the root file system that they are given. */
import t from "tap";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeLayers } from "#lib/archives/layers.ts";
import { type Derivation, isDerivation } from "#lib/derivations/derivation.ts";
import { instantiate, referencedSources } from "#lib/derivations/instantiate.ts";
import { makeStorePath } from "#lib/derivations/store-path.ts";
import { replaceTokens, tokenTargets } from "#lib/derivations/token.ts";
import { debianPackage } from "#pkgs/debian/package-file.ts";
import { bootSources, bootTexts } from "#pkgs/image/boot-partition.ts";
import { serialOf, uuidOf } from "#pkgs/image/identifiers.ts";
import { makePackages, type Packages } from "#pkgs/index.ts";
import { defaultEntries, identityEntries } from "#pkgs/rootfs/defaults.ts";
import { directory, type Entry, file } from "#pkgs/rootfs/entry.ts";
import { maintainerScriptAccounts, maintainerScriptEntries } from "#pkgs/rootfs/maintainer-scripts.ts";
import { pamEntries } from "#pkgs/rootfs/pam.ts";
import type { RootFileSystemOptions } from "#pkgs/rootfs/rootfs.ts";
import { inventedLock } from "./lock.ts";

const engine = (pkgs: Packages): Derivation =>
  pkgs.rustArtifact({ name: "helios-engine", source: "/srv/backend", binaries: ["helios-engine"] });

/** A whole system in small. */
function system(pkgs: Packages, change: { readonly motd?: string } = {}) {
  const base = pkgs.startingPoint({
    name: "test-base",
    packages: ["base-files", "gawk", "libpam-systemd", "openssh-server", "systemd"],
  });
  const linux = pkgs.linux({ name: "test-linux" });
  const initrd = pkgs.initrd({
    name: "test-initrd",
    linux,
    modules: ["virtio_blk", "ext4"],
    optionalModules: ["nvme"],
  });
  const rootfs = pkgs.rootfs({
    name: "test-rootfs",
    base,
    linux,
    identity: { hostName: "tester", root: { device: "LABEL=ACTIVE", type: "ext4" } },
    users: [
      {
        name: "ada",
        uid: 1000,
        group: "ada",
        groups: ["video"],
        home: "/home/ada",
        shell: "/bin/bash",
        createHome: true,
      },
    ],
    groups: [{ name: "ada", gid: 1000 }],
    layers: [
      {
        name: "stage",
        entries: [
          file("/etc/motd", change.motd ?? "hello\n"),
          directory("/var/lib/test", "0750", 1000, 1000),
          {
            path: "/usr/bin/helios-engine",
            type: "file",
            mode: "0755",
            source: `${engine(pkgs)}/bin/helios-engine`,
          },
        ],
      },
    ],
  });
  const image = pkgs.image({
    name: "test",
    fileName: "test-sdcard.img",
    rootfs,
    boot: {
      linux,
      initrd,
      title: "Test 1",
      commandLine: "root=LABEL=ACTIVE rw console=ttyAMA0",
      configText: "arm_64bit=1\n",
      deviceTrees: ["broadcom/bcm2712-rpi-5-b.dtb"],
    },
  });
  return { base, linux, initrd, rootfs, image };
}

/** Store path names in place of tokens: a text that a person can compare. */
function readable(text: string): string {
  return replaceTokens(text, (target) => {
    if (target._tag === "Fingerprint") return `<fingerprint of ${target.derivation.name}>`;
    if (target._tag !== "DerivationOutput") return `<${target.name}>`;
    return `<${target.derivation.name}${target.name === "out" ? "" : `!${target.name}`}>`;
  });
}

/** Every derivation that `root` needs and that somebody wrote a recipe for, by name. */
function recipes(root: Derivation): Map<string, string> {
  const found = new Map<string, string>();
  const pending: Derivation[] = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next.name) || next.builder === "builtin:fetch-url") continue;
    const env = [...next.env].map(([name, value]) => `${name}=${readable(value)}`);
    found.set(
      next.name,
      [next.builder, ...next.args.map(readable), ...env, `outputs: ${next.outputs.join(" ")}`].join("\n"),
    );
    for (const text of [...next.args, ...next.env.values()]) {
      for (const target of tokenTargets(text)) if (target._tag === "DerivationOutput") pending.push(target.derivation);
    }
  }
  return new Map([...found].sort(([left], [right]) => (left < right ? -1 : 1)));
}

t.test("the derivations of a system are what they were", async (t) => {
  for (const [name, recipe] of recipes(system(makePackages({ lock: inventedLock() })).image)) {
    t.matchSnapshot(recipe, name);
  }
});

t.test("evaluating twice gives the same derivation, path and all", async (t) => {
  const [first, second] = [inventedLock(), inventedLock()].map((lock) => {
    const { image } = system(makePackages({ lock }));
    const sources = new Map(
      referencedSources([image]).map((tree) => [tree, makeStorePath("source", "0".repeat(64), tree.name)]),
    );
    return instantiate([image], sources).derivations.get(image)?.path;
  });
  t.match(first, /^\/nix\/store\/[0-9a-z]{32}-test-image\.drv$/);
  t.equal(first, second);
});

t.test(
  "a changed file changes the root file system and the image, but not base, kernel, accounts or library check",
  async (t) => {
    const pkgs = makePackages({ lock: inventedLock() });
    const [before, after] = [system(pkgs), system(pkgs, { motd: "changed\n" })];
    t.not(before.rootfs.archive, after.rootfs.archive);
    t.not(before.image, after.image);
    t.equal(before.base.archive, after.base.archive);
    t.equal(before.linux.kernel, after.linux.kernel);
    t.equal(before.initrd, after.initrd);
    t.equal(before.rootfs.sharedLibraryCheck, after.rootfs.sharedLibraryCheck);
    const changed = [...recipes(after.image)].filter(([name, recipe]) => recipes(before.image).get(name) !== recipe);
    // The image's own recipe mentions the archive only by its place.
    t.strictSame(
      changed.map(([name]) => name),
      ["test-rootfs.tar"],
    );
  },
);

t.test("the lock is asked only for what is used", async (t) => {
  const lock = inventedLock();
  const pkgs = makePackages({ lock });
  t.strictSame(lock.asked, []);
  t.ok(isDerivation(engine(pkgs)));
  t.strictSame(lock.asked.map((request) => request.name).sort(), ["cross-rust", "rust-target"]);
});

t.test("a package's file is fetched by its pool path and fixed by its hash", async (t) => {
  const [pinned] = inventedLock().packages({
    name: "x",
    suite: "trixie",
    components: ["main"],
    architectures: ["arm64"],
    packages: ["hello"],
  });
  const fetched = debianPackage(pinned!);
  t.equal(fetched.builder, "builtin:fetch-url");
  t.equal(fetched.env.get("path"), "pool/main/x/hello/hello_2.0~rc1-3_arm64.deb");
  t.equal(fetched.name, "hello_2.0-rc1-3_arm64.deb", "store paths have no tilde");
  t.strictSame(fetched.fixedOutput, { mode: "flat", hash: { algorithm: "sha256", hex: "ab".repeat(32) } });
});

t.test("the libraries of programs are checked, texts are not", async (t) => {
  const { rootfs } = system(makePackages({ lock: inventedLock() }));
  t.equal(
    readable(rootfs.sharedLibraryCheck.env.get("programs") ?? ""),
    "<helios-engine>/bin/helios-engine\tusr/bin/helios-engine\n",
  );
});

t.test("a Rust artifact that keeps nothing is refused", async (t) => {
  const pkgs = makePackages({ lock: inventedLock() });
  t.throws(() => pkgs.rustArtifact({ name: "nothing", source: "/src" }), { message: /'nothing' keeps nothing/ });
});

t.test("of npm packages with programs of one name the first one's is on the path, as npm has it", async (t) => {
  const integrity = (byte: number) => `sha512-${Buffer.alloc(64, byte).toString("base64")}`;
  const lock = {
    packages: {
      "node_modules/compiler-native": {
        version: "7.0.0",
        integrity: integrity(1),
        bin: { tsc: "bin/tsc", own: "own" },
      },
      "node_modules/compiler": { version: "6.0.0", integrity: integrity(2), bin: { tsc: "bin/tsc" } },
      "node_modules/compiler/node_modules/inner": {
        version: "1.0.0",
        integrity: integrity(3),
        bin: { inner: "inner" },
      },
    },
  };
  const pkgs = makePackages({ lock: inventedLock() });
  const { env } = pkgs.nodeModules({ name: "npm", lockFile: "package-lock.json", lock: JSON.stringify(lock) });
  t.equal(
    env.get("programs"),
    "tsc\tnode_modules/compiler/bin/tsc\nown\tnode_modules/compiler-native/own\n",
    "each once, and none of what is nested",
  );
});

t.test("identifiers follow from names", async (t) => {
  t.equal(uuidOf("helios:root"), uuidOf("helios:root"));
  t.not(uuidOf("helios:root"), uuidOf("helios:boot"));
  for (let number = 0; number < 64; number++) {
    t.match(uuidOf(`name ${number}`), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    t.match(serialOf(`name ${number}`), /^(?!0{8})[0-9a-f]{8}$/);
  }
});

const run = promisify(execFile);
const packages = join(import.meta.dirname, "../../pkgs");

t.test("every script is well-formed", async (t) => {
  const names = (await readdir(packages, { recursive: true })).filter(
    (name) => name.endsWith(".sh") || name === "initrd/init",
  );
  t.ok(names.length >= 6, `${names.length} scripts found`);
  for (const name of names.sort()) {
    await t.resolves(run(name.endsWith(".sh") ? "bash" : "sh", ["-n", join(packages, name)]), name);
  }
});

t.test("all ways to boot use one kernel command line", async (t) => {
  const pkgs = makePackages({ lock: inventedLock() });
  const linux = pkgs.linux();
  const commandLine = "root=LABEL=ACTIVE rw console=ttyAMA0";
  const boot = {
    linux,
    initrd: pkgs.initrd({ linux }),
    title: "HeliOS",
    commandLine,
    configText: "arm_64bit=1",
    deviceTrees: ["broadcom/bcm2712-rpi-5-b.dtb"],
    files: { "overlays/README": { content: "none\n" }, "overlays/x.dtbo": { source: "/nix/store/x" } },
  };
  const texts = bootTexts(boot);
  for (const path of ["cmdline.txt", "loader/entries/helios.conf", "extlinux/extlinux.conf"]) {
    t.ok(texts.get(path)?.includes(commandLine), path);
  }
  t.match(texts.get("config.txt"), /^arm_64bit=1\n\n\[all\]\nkernel=Image\ninitramfs initrd\.gz followkernel\n$/);
  t.equal(texts.get("overlays/README"), "none\n");
  const sources = bootSources(boot, "/nix/store/boot-loader");
  t.equal(
    sources.get("bcm2712-rpi-5-b.dtb"),
    `${linux.kernel}/dtbs/broadcom/bcm2712-rpi-5-b.dtb`,
    "at the top, where the firmware looks",
  );
  t.equal(sources.get("overlays/x.dtbo"), "/nix/store/x");
  t.equal(sources.get("EFI/BOOT/BOOTAA64.EFI"), "/nix/store/boot-loader");
});

const helios = join(import.meta.dirname, "../../pkgs/helios");

interface State {
  bytes(count: number): string;
  duration(seconds: number): string;
  sections(state: object): { title: string; failed: boolean; rows: [string, string][] }[];
  summary(state: object): string;
}

t.test("the frontend words what the system answers", async (t) => {
  const state = (await import(join(helios, "frontend/state.js"))) as State;
  t.equal(state.bytes(512), "512 B");
  t.equal(state.bytes(1536), "1.5 KiB");
  t.equal(state.duration(42.9), "42 s");
  t.equal(state.duration(90_061), "1 d 1 h 1 min");
  const answer = {
    system: { hostname: "helios", memoryTotalBytes: 2 ** 30, load: [0.5, 1, 2], uptimeSeconds: 120 },
    engine: { plugins: [{ name: "led" }, { name: "nt4" }], uptimeMicroseconds: 3_000_000 },
    updater: { image: { name: "HeliOS v1", id: null } },
    peripherals: { error: "no socket" },
  };
  t.equal(state.summary(answer), "HeliOS v1: no answer from peripherals.");
  t.strictSame(state.sections(answer), [
    {
      title: "System",
      failed: false,
      rows: [
        ["hostname", "helios"],
        ["memory total", "1.0 GiB"],
        ["load", "0.5, 1, 2"],
        ["uptime", "2 min"],
      ],
    },
    {
      title: "Engine",
      failed: false,
      rows: [
        ["plugins", "led, nt4"],
        ["uptime", "3 s"],
      ],
    },
    {
      title: "Updater",
      failed: false,
      rows: [
        ["image name", "HeliOS v1"],
        ["image id", "unknown"],
      ],
    },
    { title: "Peripherals", failed: true, rows: [["error", "no socket"]] },
  ]);
});

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

t.test("the entries of a root file system", async (t) => {
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
    const paths = [...identityEntries({ hostName: "tester" }), ...defaultEntries(everything)].map(
      (entry) => entry.path,
    );
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
});
