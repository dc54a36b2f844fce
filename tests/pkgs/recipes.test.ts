import t from "tap";
import { type Derivation, isDerivation } from "#lib/derivations/derivation.ts";
import { instantiate, referencedSources } from "#lib/derivations/instantiate.ts";
import { makeStorePath } from "#lib/derivations/store-path.ts";
import { tokenTargets, replaceTokens } from "#lib/derivations/token.ts";
import { debianPackage } from "#pkgs/debian/package-file.ts";
import { serialOf, uuidOf } from "#pkgs/image/identifiers.ts";
import { makePackages, type Packages } from "#pkgs/index.ts";
import { directory, file } from "#pkgs/rootfs/entry.ts";
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

t.test("identifiers follow from names", async (t) => {
  t.equal(uuidOf("helios:root"), uuidOf("helios:root"));
  t.not(uuidOf("helios:root"), uuidOf("helios:boot"));
  for (let number = 0; number < 64; number++) {
    t.match(uuidOf(`name ${number}`), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    t.match(serialOf(`name ${number}`), /^(?!0{8})[0-9a-f]{8}$/);
  }
});
