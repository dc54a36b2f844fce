import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { helios, root } from "../cli/rig.ts";

/** Systems of Gaia trees, and of root file systems from elsewhere, built by the real engine and looked at with e2fsprogs and mtools. */
const flakeText = `
import { main } from "#lib/cli/main.ts";
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
          for path in hostname os-release passwd group shadow default/helios-engine helios/gadget.env systemd/network/10-wired.network motd modules-load.d/camera.conf; do
            debugfs -R "cat /etc/$path" root.ext4 2>/dev/null > "$out/\\\${path//\\\\//-}"
          done
          debugfs -R "ls -p /etc/systemd/system/local-fs.target.wants" root.ext4 2>/dev/null > "$out/wants"
          debugfs -R "ls -p /usr/bin" root.ext4 2>/dev/null > "$out/programs"
          mtype -i "$disk@@$(( $(sector 0 start) * 512 ))" ::/config.txt > "$out/config.txt"
          mtype -i "$disk@@$(( $(sector 0 start) * 512 ))" ::/cmdline.txt > "$out/cmdline.txt"
        \`,
      });
    };
    return {
      systems: {},
      checks: {},
      configuration,
      packages: {
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
        get disk() {
          const disk = pkgs.mkDerivation({
            name: "disk.img",
            environment: tools,
            script: \`
              mkdir -p tree/usr/bin tree/etc "tree/srv/with blank" 'tree/srv/with"quote/in'
              for name in init su own; do echo "$name" > tree/usr/bin/$name; done
              echo root:x:0:0:root:/root:/bin/sh > tree/etc/passwd
              ln -s usr/bin tree/bin
              pack() { mode=$1; owner=$2; shift 2; tar --no-recursion --owner="$owner" --group="$owner" --mode="$mode" -C tree -rf root.tar "$@"; }
              pack 0755 0 ./usr ./usr/bin ./etc ./srv ./bin
              pack 0755 0 ./usr/bin/init
              pack 4755 0 ./usr/bin/su
              pack 0640 1234 ./usr/bin/own
              pack 0644 0 ./etc/passwd
              pack 1777 0 "./srv/with blank"
              pack 0750 0 './srv/with"quote' './srv/with"quote/in'
              truncate -s 8M root.ext4
              mke2fs -q -F -t ext4 -d root.tar root.ext4
              truncate -s 16M "$out"
              printf 'label: dos\\nstart=2048,size=2048,type=c\\nstart=8192,size=16384,type=83\\n' | sfdisk -q "$out"
              dd if=root.ext4 of="$out" bs=512 seek=8192 conv=notrunc status=none
            \`,
          });
          const { archive, accounts } = pkgs.startingPoint({
            name: "imported",
            packages: [],
            tree: { kind: "image", path: \`\${disk}\`, partition: null },
          });
          return pkgs.mkDerivation({
            name: "listing",
            environment: tools,
            env: { archive, accounts },
            script: 'tar --numeric-owner -tvf "$archive" | sed -E "s/ +/ /g" > list; { grep -E "usr/bin|srv|passwd" list; cat "$accounts/passwd"; } > "$out"',
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
    const files = join(directory, "elsewhere/etc");
    await writeFile(join(files, "passwd"), "root:x:0:0:root:/root:/bin/sh\nold:x:1500:100:Old:/home/old:/bin/sh\n");
    await writeFile(join(files, "motd"), "from elsewhere\n");
    await writeFile(
      join(directory, "rootfs.tar"),
      tarOf({ "etc/passwd": await readFile(join(files, "passwd")), "etc/motd": await readFile(join(files, "motd")) }),
    );
    await writeFile(
      join(directory, "configs/builds/archive.toml"),
      `[buildroot.starting_point]\nrootfs_tar = "rootfs.tar"\npackages = { enabled = true }\n`,
    );
    const read = await build("archive");
    t.equal(await read("motd"), "from elsewhere\n");
    t.match(await read("passwd"), /^old:x:1500:100:Old:\/home\/old:\/bin\/sh$/m);
    t.match(await read("passwd"), /^root:x:0:0:root:\/root:\/bin\/bash$/m, "as declared");
    t.equal(await read("hostname"), "archive\n");
    t.match(await read("programs"), "/bash/");
  });

  t.test("may start from a disk: owners, modes and links are those of its file system", async (t) => {
    const list = (await build("disk"))();
    for (const line of [
      /^-rwsr-xr-x 0\/0 .* \.\/usr\/bin\/su$/m,
      /^-rw-r----- 1234\/1234 .* \.\/usr\/bin\/own$/m,
      /^drwxrwxrwt 0\/0 .* \.\/srv\/with blank\/?$/m,
      /^drwxr-x--- 0\/0 .* \.\/srv\/with"quote\/in\/?$/m,
      /^root:x:0:0:root:\/root:\/bin\/sh$/m,
    ])
      t.match(await list, line);
  });

  t.test("may start from a tree without accounts", async (t) => {
    t.equal(await (await build("bare"))(), "");
  });
});

/** A plain tar of some files, as root's. */
function tarOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(`./${name}`, 0);
    header.write("0000644\x000000000\x000000000\x00", 100);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0        0`, 124);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
