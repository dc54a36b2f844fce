import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { formatHeader, padding } from "#lib/archives/tar-format.ts";
import { helios, root } from "../cli/rig.ts";

/** Systems of Gaia trees, and of root file systems from elsewhere, built by the real engine and looked at with e2fsprogs and mtools. */
const flakeText = `
import { main } from "#lib/cli/main.ts";
import { source } from "#lib/derivations/source.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { gaiaConfiguration } from "#modules/gaia/index.ts";
import { makePackages } from "#pkgs/index.ts";
import gaia from "${root}/systems/gaia.ts";

const flake = defineFlake({
  description: "Gaia trees",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: (context) => {
    const pkgs = makePackages(context);
    const configuration = (file) => gaiaConfiguration({ ...context, pkgs, file, base: [gaia] });
    const tools = pkgs.environments.imageTools;
    const look = (name, file) => {
      const { config } = configuration(file).system;
      return pkgs.mkDerivation({
        name,
        environment: tools,
        env: { image: config.system.build.image, fileName: config.image.fileName },
        script: \`
          disk="$image/$fileName"
          sector() { sfdisk --json "$disk" | jq -r ".partitiontable.partitions[$1].$2"; }
          dd if="$disk" of=root.ext4 bs=512 skip="$(sector 1 start)" count="$(sector 1 size)" status=none
          mkdir "$out"
          e2fsck -fn root.ext4 > "$out/e2fsck" 2>&1
          dumpe2fs -h root.ext4 2>/dev/null | sed -n 's/^Filesystem volume name: *//p' > "$out/label"
          for path in issue hostname os-release passwd group shadow default/helios-engine helios/gadget.env systemd/network/10-wired.network motd modules-load.d/camera.conf; do
            debugfs -R "cat /etc/$path" root.ext4 2>/dev/null > "$out/\\\${path//\\\\//-}"
          done
          for path in motd motd-link ..; do debugfs -R "ea_list /etc/$path" root.ext4; debugfs -R "stat /etc/$path" root.ext4; done 2>/dev/null > "$out/attributes"
          debugfs -R "ls -p /etc/systemd/system/local-fs.target.wants" root.ext4 2>/dev/null > "$out/wants"
          debugfs -R "ls -p /usr/bin" root.ext4 2>/dev/null > "$out/programs"
          mtype -i "$disk@@$(( $(sector 0 start) * 512 ))" ::/config.txt > "$out/config.txt"
          mtype -i "$disk@@$(( $(sector 0 start) * 512 ))" ::/cmdline.txt > "$out/cmdline.txt"
        \`,
      });
    };
    const disk = pkgs.mkDerivation({
      name: "disk.img",
      environment: tools,
      script: \`
        mkdir -p tree/usr/bin tree/etc "tree/srv/with blank" 'tree/srv/with"quote/in'
        for name in init su own; do echo "$name" > tree/usr/bin/$name; done
        echo root:x:0:0:root:/root:/bin/sh > tree/etc/passwd
        ln -s usr/bin tree/bin
        pack() { mode=$1; owner=$2; shift 2; tar --no-recursion --owner="$owner" --group="$owner" --mode="$mode" -C tree -rf root.tar "$@"; }
        pack 0751 7 ./
        pack 0755 0 ./usr ./usr/bin ./etc ./srv ./bin
        pack 0755 0 ./usr/bin/init
        pack 4755 0 ./usr/bin/su
        pack 0640 1234 ./usr/bin/own
        pack 0644 0 ./etc/passwd
        pack 1777 0 "./srv/with blank"
        pack 0750 0 './srv/with"quote' './srv/with"quote/in'
        truncate -s 8M root.ext4
        mke2fs -q -F -t ext4 -d root.tar root.ext4
        # CAP_NET_RAW, permitted and effective: what setcap(8) writes.
        printf '\\\\001\\\\000\\\\000\\\\002\\\\000\\\\040' > capability; truncate -s 20 capability
        printf note > note
        printf '%s\\\\n' 'ea_set -f note / user.root' 'ea_set -f note /usr/bin/own user.ü' 'ea_set -f note /usr/bin/own "user.q""x \\\\\\\\"' 'ea_set -f note /usr/bin/init user.äöüäöüäöü' > names
        { printf 'ea_set -f note /usr/bin/own user.'; printf '\\\\003\\\\n'; printf 'ea_set -f note /usr/bin/own user.with-many-printable'; printf '\\\\003\\\\n'; } >> names
        debugfs -w -f names root.ext4
        printf '%s\\\\n' 'ea_set -f capability /usr/bin/su security.capability' 'ea_set -f note "/srv/with blank" user.note' 'ln /usr/bin/su /usr/bin/su-link' 'set_inode_field /usr/bin/su links_count 2' | debugfs -w -f - root.ext4
        truncate -s 16M "$out"
        printf 'label: dos\\nstart=2048,size=2048,type=c\\nstart=8192,size=16384,type=83\\n' | sfdisk -q "$out"
        dd if=root.ext4 of="$out" bs=512 seek=8192 conv=notrunc status=none
      \`,
    });
    const imported = pkgs.startingPoint({
      name: "imported",
      packages: [],
      tree: { kind: "image", path: \`\${disk}\`, partition: null },
    });
    // An image of files that have an attribute of some length each.
    const sized = (name, length, size = "") => {
      const archive = pkgs.mkDerivation({
        name: name + "-root",
        environment: tools,
        outputs: ["out", "manifest"],
        env: { length },
        script: \`
          mkdir tree; (cd tree && seq 1100 | xargs touch); tar --owner=0 --group=0 --mode=0644 -C tree -cf "$out" .
          jq -cn --argjson length "$length" 'range(1; 1101) | { path: "/\\\\(.)", type: "file", size: 0 }
            + if $length > 0 then { xattrs: { "user.long": ("78" * $length) } } else {} end' > "$manifest"
        \`,
      });
      return pkgs.mkDerivation({
        name,
        environment: tools,
        script: source({ path: "${root}/pkgs/image/image.sh" }),
        env: {
          imageName: name, fileName: name, rootArchive: archive, rootManifest: archive.output("manifest"),
          bootSources: "{}", bootTexts: '{"config.txt":"text"}', packages: "[]", bootLabel: "BOOT", bootSize: 40, bootSerial: "01234567",
          rootLabel: "ROOT", rootSize: size, rootFree: 0, rootUuid: "01234567-89ab-4def-8123-456789abcdef", diskSignature: "01234567",
          passAsFile: ["bootSources", "bootTexts", "packages"],
        },
      });
    };
    return {
      systems: {},
      checks: {},
      configuration,
      packages: {
        get plain() { return sized("plain", 0); },
        get attributed() { return sized("attributed", 300); },
        get full() { return sized("full", 300, 8); },
        get tree() { return look("tree", import.meta.dirname + "/configs/builds/small.toml"); },
        get archive() { return look("archive", import.meta.dirname + "/configs/builds/archive.toml"); },
        get bare() {
          const disk = pkgs.mkDerivation({
            name: "bare.img",
            environment: tools,
            script: 'mkdir -p tree/usr/bin; echo init > tree/usr/bin/init; mke2fs -q -F -t ext4 -d tree "$out" 4M',
          });
          const { accounts } = pkgs.startingPoint({
            name: "bare",
            packages: [],
            tree: { kind: "image", path: \`\${disk}\`, partition: null },
          });
          return pkgs.mkDerivation({
            name: "accounts",
            environment: tools,
            env: { accounts },
            script: 'ls -A "$accounts" > "$out"',
          });
        },
        get staged() {
          const { archive } = pkgs.rootfs({
            name: "staged",
            base: imported,
            identity: { hostName: "staged", root: { device: "LABEL=ACTIVE", type: "ext4" } },
            users: [],
            groups: [],
            layers: [
              { name: "stage", entries: [{ path: "/usr/bin/own", type: "file", content: "staged" }] },
              pkgs.stagedLayer("staged-install", { name: "install", entries: [{ path: "/usr/bin/su", type: "file", content: "installed" }] }),
            ],
          });
          return pkgs.mkDerivation({
            name: "own",
            environment: tools,
            env: { archive },
            script: 'tar -xOf "$archive" ./usr/bin/own ./usr/bin/su > "$out"',
          });
        },
        get disk() {
          const { archive, accounts } = imported;
          return pkgs.mkDerivation({
            name: "listing",
            environment: tools,
            env: { archive, accounts },
            script: 'tar --numeric-owner --xattrs --xattrs-include=* -tvvf "$archive" | sed -E "s/ +/ /g" > list; { grep -E "usr/bin|srv|passwd| x: | [.]/$" list; cat "$accounts/passwd"; } > "$out"',
          });
        },
      },
    };
  },
});
export default flake;
await main(flake, import.meta.url);
`;

t.setTimeout(1_500_000);

t.test("a Gaia tree", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText });
  await copyFile(join(root, "flake.lock"), join(directory, "flake.lock"));
  await cp(join(root, "tests/fixtures/gaia"), directory, { recursive: true });
  // All of the guide's fragments that need neither a compiler nor half of Debian.
  await writeFile(
    join(directory, "configs/builds/small.toml"),
    `imports = ["../workspace/base.toml", "../platforms/pi/cm5.toml"]
[workspace.paths]
services = "assets/services"
[buildroot]
expand_size_mb = 700
external = ["assets/buildroot"]
[buildroot.symbols]
BR2_TARGET_ROOTFS_EXT2_LABEL = "HELIOS"
BR2_ROOTFS_USERS_TABLES = "board/raspberrypicm5io/users.table"
[stage]
imports = ["../modules/stage/base.toml", "../modules/stage/system.toml"]
[stage.env]
imports = ["../env/runtime/helios.toml"]
[stage.services]
imports = ["../modules/stage/services/provisioning.toml", "../modules/stage/services/networkd.toml"]
`,
  );
  await mkdir(join(directory, "elsewhere/etc"), { recursive: true });
  const run = (...args: string[]) => helios(args, { flake: join(directory, "flake.ts"), cwd: directory });
  const build = async (name: string) => {
    const result = await run("build", `.#${name}`, "--no-link", "--json");
    t.equal(result.code, 0, `${name} builds\n${result.stderr}`);
    const [{ outputs }] = JSON.parse(result.stdout) as [{ outputs: { out: { file: string } } }];
    return (file = "") => readFile(join(outputs.out.file, file), "utf8");
  };

  t.test("has the libraries of all packages that the guide names", async (t) => {
    const check = "configs/builds/HeliOS-cm5.toml#config.system.build.rootfs.sharedLibraryCheck";
    const result = await run("build", check, "--no-link", "--locked");
    t.equal(result.code, 0, result.stderr);
  });

  t.test("becomes an image with its files, units, accounts and board", async (t) => {
    const read = await build("tree");
    t.match(await read("e2fsck"), /^HELIOS: \d+\/\d+ files/m);
    t.equal(await read("label"), "HELIOS\n");
    t.equal(await read("hostname"), "helios\n");
    t.equal(await read("os-release"), await readFile(join(directory, "assets/etc/os-release"), "utf8"));
    t.match(await read("helios-gadget.env"), "GADGET_MODE=configfs\n");
    t.match(await read("systemd-network-10-wired.network"), "Name=eth0 en*\n");
    t.match(await read("wants"), "var-lib-helios.mount");
    t.match(await read("passwd"), /^pi:x:1000:1000:Helios user:\/home\/pi:\/bin\/bash$/m);
    t.match(await read("group"), /^video:x:\d+:pi$/m);
    t.match(await read("group"), /^cameras:x:2000:$/m);
    t.match(await read("shadow"), /^pi:\$6\$tree\$/m);
    t.match(await read("modules-load.d-camera.conf"), "rp1_cfe");
    t.match(await read("config.txt"), "dtoverlay=dwc2");
    t.match(await read("cmdline.txt"), /root=LABEL=HELIOS .*fsck\.repair=yes/);
  });

  t.test("may be planned, and resolved from what it resolves to", async (t) => {
    const file = join(directory, "configs/builds/small.toml");
    const plan = await run("plan", file);
    t.match(plan.stdout, /^ 3\. stage\.render +cached +Render stage content$/m, plan.stderr);
    const resolved = await run("resolve", file);
    await writeFile(join(directory, "resolved.toml"), resolved.stdout);
    const again = await run("resolve", join(directory, "resolved.toml"));
    t.equal(again.stdout, resolved.stdout, again.stderr);
  });

  t.test("may start from an archive, over packages: what it has wins", async (t) => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const archive = (motd: string, more: readonly Buffer[] = []) =>
      writeFile(
        join(directory, "rootfs.tar"),
        Buffer.concat([
          // Of these some share a number or a name, and those of the network (nsswitch.conf's `compat`) have none.
          fileInTar(
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nold:x:1500:100:Old:/home/old:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nold:x:1501:100::/:\n+@net::::::\n+::::::\n",
          ),
          fileInTar("etc/group", "root:x:0:\nold:x:1500:\nwheel:x:10:old\nadmin:x:10:\n+:::\n"),
          fileInTar("etc/issue", "from elsewhere\n"),
          fileInTar(motd, "from elsewhere\n", { "security.capability": capability, "user.note": Buffer.from("a\0b") }),
          formatHeader({ ...inTar, path: "etc/motd-link", type: "hardlink", target: motd, size: 0 }),
          ...more,
          Buffer.alloc(1024),
        ]),
      );
    await writeFile(
      join(directory, "configs/builds/archive.toml"),
      `[buildroot.starting_point]\nrootfs_tar = "rootfs.tar"\npackages = { enabled = true }\n[[stage.files]]\ndst = "/etc/issue"\ncontent = "staged\\n"\n`,
    );
    const hostile = "etc/motd\nea_set -f values/1 /etc/passwd user.note";
    await archive(hostile);
    const refused = await run("build", ".#archive", "--no-link");
    t.equal(refused.code, 1);
    t.ok(
      refused.stderr.includes(`of ${JSON.stringify(`/${hostile}`)} cannot be set, as a control char`),
      refused.stderr,
    );
    const long = Buffer.alloc(3000, "x");
    await archive("etc/motd", [
      fileInTar("etc/crowded", "", { "user.first": long, "user.second": long, "user.third": Buffer.from("x") }),
      fileInTar("etc/listed", "", { "system.posix_acl_access": Buffer.from("no list") }),
    ]);
    const crowded = await run("build", ".#archive", "--no-link");
    t.equal(crowded.code, 1);
    t.match(
      crowded.stderr,
      /attributes .* cannot be set\. .* 4 KiB, .*\. Shorten or mend them, or leave them out:\n.*"user\.second" of "\/etc\/crowded": Insuff.* data\n.*"system\.posix_acl_access" of "\/etc\/listed": Invalid argument\n/,
    );
    t.notMatch(crowded.stderr, /user\.first|user\.third|ea_set/);
    const top = formatHeader({
      ...inTar,
      path: "",
      type: "directory",
      mode: 0o751,
      uid: 7,
      size: 0,
      xattrs: new Map([["user.top", Buffer.from("x")]]),
    });
    await archive("etc/motd", [top]);
    const read = await build("archive");
    t.equal(await read("motd"), "from elsewhere\n");
    t.equal(await read("issue"), "staged\n", "what is staged comes over it");
    t.match(await read("passwd"), /^old:x:1500:100:Old:\/home\/old:\/bin\/sh$/m);
    t.match(await read("passwd"), /^root:x:0:0:root:\/root:\/bin\/bash$/m, "as declared");
    t.match(await read("passwd"), /^toor:x:0:0:[^]*^\+@net::::::$/m);
    t.match(await read("group"), /^wheel:x:10:old\nadmin:x:10:$[^]*^\+:::$/m, "sharing a number is the tree's affair");
    t.equal(await read("hostname"), "archive\n");
    t.match(await read("programs"), "/bash/");
    const attributes = await read("attributes");
    t.match(attributes, / security\.capability \(20\) = 01 00 00 02 00 20 /);
    t.equal(attributes.match(/ user\.note \(3\) = 61 00 62 /g)?.length, 4, "both names, by ea_list and stat");
    t.equal(attributes.match(/^Links: 2 /gm)?.length, 2, "both names are one file");
    t.match(attributes, /^ +user\.top \(1\) = "x"$[^]*Mode: +0751 [^]*User: +7 /m, "the root directory too");
  });

  t.test("has a root file system with room for attributes, which take a block of each file", async (t) => {
    const free = async (name: string): Promise<number> => {
      const report = JSON.parse(await (await build(name))("image-report.json")) as { root: { freeBlocks: number } };
      return report.root.freeBlocks;
    };
    const [plain, attributed] = [await free("plain"), await free("attributed")];
    // The larger file system has larger tables, too.
    t.ok(attributed > plain - 550, `${attributed} blocks are free, and ${plain} without attributes`);
    const full = await run("build", ".#full", "--no-link");
    t.equal(full.code, 1);
    t.match(full.stderr, /the extended attributes .* do not fit into 8 MiB\. Make the partition larger/);
  });

  t.test("may start from a disk: owners, modes and links are those of its file system", async (t) => {
    const list = (await build("disk"))();
    for (const line of [
      /^-rwsr-xr-x\*? 0\/0 .* \.\/usr\/bin\/su\n x: 20 security\.capability$/m,
      /^hrwsr-xr-x\*? 0\/0 .* \.\/usr\/bin\/su-link link to \.\/usr\/bin\/su$/m,
      /^drwxr-x--x\*? 7\/7 .* \.\/\n x: 4 user\.root$/m,
      /^-rw-r-----\*? 1234\/1234 .* \.\/usr\/bin\/own\n x: 4 user\.q"x \\\\\n x: 4 user\.ü\n[^ ]/m,
      /^-rwxr-xr-x\*? 0\/0 .* \.\/usr\/bin\/init\n x: 4 user\.äöüäöüäöü\n[^ ]/m,
      /^drwxrwxrwt\*? 0\/0 .* \.\/srv\/with blank\/?\n x: 4 user\.note$/m,
      /^drwxr-x--- 0\/0 .* \.\/srv\/with"quote\/in\/?$/m,
      /^root:x:0:0:root:\/root:\/bin\/sh$/m,
    ])
      t.match(await list, line);
  });

  t.test("may stage files in the place of those of a disk", async (t) => {
    t.equal(await (await build("staged"))(), "stagedinstalled");
  });

  t.test("is told which user of an archive has the id of a declared one", async (t) => {
    await writeFile(
      join(directory, "configs/builds/twice.toml"),
      `[buildroot.starting_point]\nrootfs_tar = "rootfs.tar"\npackages = { enabled = true }\n[users.users.ada]\nuid = 1500\n`,
    );
    const twice = await run("build", "configs/builds/twice.toml", "--no-link");
    t.equal(twice.code, 1);
    t.match(twice.stderr, /several users have the id 1500 \(ada, old\)\..*users\.users\.NAME\.uid/);
  });

  t.test("may start from a tree without accounts", async (t) => {
    t.equal(await (await build("bare"))(), "");
  });
});

const inTar = { mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

/** A file of root's, as a part of a tar. */
function fileInTar(path: string, content: string, xattrs: Readonly<Record<string, Buffer>> = {}): Buffer {
  const bytes = Buffer.from(content);
  const header = formatHeader({
    ...inTar,
    path,
    type: "file",
    size: bytes.length,
    xattrs: new Map(Object.entries(xattrs)),
  });
  return Buffer.concat([header, bytes, Buffer.alloc(padding(bytes.length))]);
}
