import { copyFile, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import t from "tap";
import { helios, root } from "../cli/rig.ts";
import { filesWith } from "./files-with.ts";

/**
 * The real thing: helios-cm5 with the README's profile, built by the real
 * engine and looked at with e2fsprogs and mtools. Uses the default store, so
 * what the other builds of a CI run have made is not made again.
 */
const checked = [
  "cloud",
  "development",
  "everything",
  "badRule",
  "badModprobe",
  "badSysusers",
  "badTmpfiles",
  "badNetwork",
  "badNetdev",
];

/** Where the greeter's secrets are on the machine; the same place each time, so that an image stays what it was. */
const secretPlace = join(tmpdir(), "helios-greeter-secrets");

const flakeText = `
import { main } from "#lib/cli/main.ts";
import { defineModule } from "#lib/evaluator/index.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { bootCheck, evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "${root}/systems/helios-cm5.ts";
import greeter from "${root}/tests/fixtures/profiles/greeter.ts";
import cloud from "${root}/systems/cloud.ts";
import everything from "${root}/tests/fixtures/profiles/systemd.ts";
import heliosDevelopment from "${root}/systems/helios-development.ts";

const flake = defineFlake({
  description: "Integration tests",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: ({ lock }) => {
    const pkgs = makePackages({ lock });
    const louder = defineModule({ config: { services: { units: { "greeter.service": { unit: { Documentation: "man:cat(1) https://example.org/${Date.now()}" } } } } } });
    // The machine that builds has these files too, and must not look into them.
    const secretive = defineModule({ config: {
      users: { users: { ada: { hashedPasswordFrom: { file: "${secretPlace}/password" } } } },
      services: { units: { "greeter.service": { credentials: { token: { file: "${secretPlace}/token" } } } } },
    } });
    const doubled = defineModule({ config: { stage: { files: [{ dst: "/usr/bin/bash", content: "mine" }] } } });
    const misspelt = defineModule({ config: { services: { units: { "greeter.service": { extraConfig: "[Service]\\nPrivateTemp=yes\\n" } } } } });
    const staged = (dst, content) => defineModule({ config: { stage: { files: [{ dst, content }] } } });
    const systems = {
      cloud: evalSystem({ pkgs, modules: [cloud] }),
      development: evalSystem({ pkgs, modules: [heliosDevelopment] }),
      badRule: evalSystem({ pkgs, modules: [heliosCm5, staged("/etc/udev/rules.d/99-x.rules", 'SUBSYSTEM=="tty", GROUPP="x"\\n')] }),
      badModprobe: evalSystem({ pkgs, modules: [heliosCm5, staged("/etc/modprobe.d/x.conf", "blaklist pcspkr\\n")] }),
      badSysusers: evalSystem({ pkgs, modules: [heliosCm5, staged("/etc/sysusers.d/x.conf", "u x y z\\n")] }),
      badTmpfiles: evalSystem({ pkgs, modules: [heliosCm5, staged("/etc/tmpfiles.d/x.conf", "dd /run/x\\n")] }),
      badNetwork: evalSystem({ pkgs, modules: [heliosCm5, staged("/etc/systemd/network/50-x.network", "[Match]\\nName=x0\\n[Network]\\nDHCPP=yes\\n")] }),
      badNetdev: evalSystem({ pkgs, modules: [heliosCm5, staged("/etc/systemd/network/50-x.netdev", "[NetDev]\\nName=x0\\nKind=brige\\n")] }),
      everything: evalSystem({ pkgs, modules: [heliosCm5, everything] }),
      misspelt: evalSystem({ pkgs, modules: [heliosCm5, greeter, misspelt] }),
      greeter: evalSystem({ pkgs, modules: [heliosCm5, greeter, secretive] }),
      louder: evalSystem({ pkgs, modules: [heliosCm5, greeter, secretive, louder] }),
      doubled: evalSystem({ pkgs, modules: [heliosCm5, doubled] }),
    };
    const build = (name) => systems[name].config.system.build;
    return {
      systems,
      checks: { get cloud() { return bootCheck({ pkgs, system: systems.cloud }); } },
      packages: {
        ...Object.fromEntries(${JSON.stringify(checked)}.map((name) => [name, build(name).rootfs.unitCheck])),
        get greeter() { return build("greeter").image; },
        get result() { return build("greeter").result; },
        get louder() { return build("louder").image; },
        get misspelt() { return build("misspelt").image; },
        get doubled() { return build("doubled").image; },
        get inspection() {
          return pkgs.mkDerivation({
            name: "inspection",
            environment: pkgs.environments.imageTools,
            env: { image: build("greeter").image, fileName: systems.greeter.config.image.fileName },
            script: \`
              disk="$image/$fileName"
              sector() { sfdisk --json "$disk" | jq -r ".partitiontable.partitions[$1].$2"; }
              dd if="$disk" of=root.ext4 bs=512 skip="$(sector 1 start)" count="$(sector 1 size)" status=none
              mkdir -p "$out/etc"
              sfdisk --json "$disk" | jq -S '.partitiontable | del(.device) | .partitions |= map({type, bootable})' > "$out/partitions.json"
              e2fsck -fn root.ext4 > "$out/e2fsck" 2>&1
              dumpe2fs -h root.ext4 2>/dev/null | sed -n 's/^Filesystem volume name: *//p' > "$out/label"
              for path in etc/passwd etc/greeting etc/systemd/system/greeter.service; do
                mkdir -p "$out/$(dirname "$path")"
                debugfs -R "cat /$path" root.ext4 2>/dev/null > "$out/$path"
              done
              debugfs -R "stat /etc/shadow" root.ext4 2>/dev/null | grep -oE 'Mode: +[0-7]+|(User|Group): +[0-9]+' | tr -s ' ' > "$out/shadow.stat"
              debugfs -R "stat /etc/systemd/system/multi-user.target.wants/greeter.service" root.ext4 2>/dev/null | grep -E 'Type|link' > "$out/wants.stat"
              mdir -/ -b -i "$disk@@$(( $(sector 0 start) * 512 ))" ::/ | sort > "$out/boot-files"
              boot="$disk@@$(( $(sector 0 start) * 512 ))"
              for path in cmdline.txt config.txt extlinux/extlinux.conf loader/loader.conf loader/entries/helios.conf; do
                mtype -i "$boot" "::/$path" > "$out/$(basename "$path")"
              done
              mcopy -s -n -i "$boot" ::/ boot-partition
              mkdir tree
              # Owners and devices cannot be made here, and do not matter.
              debugfs -R "rdump / tree" root.ext4 > /dev/null 2>&1
              find tree -type f | wc -l > "$out/files"
              grep -rlI -E -e '-----BEGIN ([A-Z]+ )?PRIVATE KEY-----' tree boot-partition > "$out/private-keys" || true
              find tree/etc/ssh tree/home tree/root -name 'ssh_host_*' -o -name 'authorized_keys*' -o -name 'id_*' > "$out/keys"
              debugfs -R "cat /etc/shadow" root.ext4 2>/dev/null | cut -d: -f2 | sort -u > "$out/passwords"
              debugfs -R "cat /etc/machine-id" root.ext4 2>/dev/null > "$out/machine-id"
              find tree/var/lib/systemd -name random-seed -o -name 'credential.secret' > "$out/seeds"
            \`,
          });
        },
      },
    };
  },
});
export default flake;
await main(flake, import.meta.url);
`;

// The first build of a fresh machine downloads some 300 MB.
t.setTimeout(1_500_000);

t.test("an image with a profile of one's own", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText });
  await copyFile(join(root, "flake.lock"), join(directory, "flake.lock"));
  const secrets = {
    password: "$y$j9T$kW3nQzUo7Tb$pXcR5dL1vYg9",
    token: "tk-8f2c61e09b7d4a35",
    variable: "vr-93d0b58e17fa4c62",
  };
  await mkdir(secretPlace, { recursive: true });
  t.teardown(() => rm(secretPlace, { recursive: true }));
  await writeFile(join(secretPlace, "password"), `$y$j9T$${secrets.password}\n`);
  await writeFile(join(secretPlace, "token"), `${secrets.token}\n`);
  const env = { GREETER_TOKEN: secrets.variable };
  const run = (...args: string[]) => helios(args, { flake: join(directory, "flake.ts"), cwd: directory, env });
  const build = async (name: string) => {
    const result = await run("build", `.#${name}`, "--no-link", "--json");
    t.equal(result.code, 0, `${name} builds\n${result.stderr}`);
    return (JSON.parse(result.stdout) as [{ outputs: { out: { path: string; file: string } } }])[0].outputs.out;
  };

  const inspection = await build("inspection");
  const read = (path: string) => readFile(join(inspection.file, path), "utf8");

  t.test("has the user, the unit and the file in its root file system", async (t) => {
    t.match(await read("etc/passwd"), /^greeter:x:800:800::\/nonexistent:\/usr\/sbin\/nologin$/m);
    t.match(await read("etc/passwd"), /^root:x:0:0:root:\/root:\/bin\/bash$/m);
    t.equal(await read("etc/greeting"), "hello\n");
    t.match(await read("etc/systemd/system/greeter.service"), "ExecStart=/usr/bin/cat /etc/greeting");
    t.match(await read("wants.stat"), /symlink/);
  });

  t.test("is a sound disk: FAT first, ext4 labelled ACTIVE, owners and modes kept", async (t) => {
    t.strictSame(JSON.parse(await read("partitions.json")).partitions, [
      { type: "c", bootable: true },
      { type: "83", bootable: null },
    ]);
    t.match(await read("e2fsck"), /Pass 5/);
    t.equal(await read("label"), "ACTIVE\n");
    t.strictSame((await read("shadow.stat")).trim().split("\n"), ["Mode: 0640", "User: 0", "Group: 42"]);
  });

  t.test("can be booted by the Raspberry Pi's firmware, EFI and U-Boot", async (t) => {
    const files = new Set(
      (await read("boot-files"))
        .trim()
        .split("\n")
        .map((file) => file.replace("::/", "").toLowerCase()),
    );
    for (const file of [
      "config.txt",
      "cmdline.txt",
      "image",
      "initrd.gz",
      "efi/boot/bootaa64.efi",
      "extlinux/extlinux.conf",
      "loader/entries/helios.conf",
    ]) {
      t.ok(files.has(file), file);
    }
    t.match(await read("cmdline.txt"), /^root=LABEL=ACTIVE rootfstype=ext4 rw /);
    const there = async (file: string, line: RegExp) => {
      const [, name] = line.exec(await read(file)) ?? [];
      t.ok(name !== undefined && files.has(name.toLowerCase()), `${file} names ${name}, which is on the partition`);
    };
    await there("config.txt", /^kernel=(\S+)$/m);
    await there("config.txt", /^initramfs (\S+) followkernel$/m);
    await there("extlinux.conf", /^ *kernel \/(\S+)$/m);
    await there("extlinux.conf", /^ *initrd \/(\S+)$/m);
    await there("helios.conf", /^linux \/(\S+)$/m);
    await there("helios.conf", /^initrd \/(\S+)$/m);
    t.match(await read("loader.conf"), /^default helios\.conf$/m, "the entry that is there");
    t.ok(files.has("bcm2712-rpi-5-b.dtb"), "the device tree that the firmware looks for");
    // Whatever starts the system, it starts it with the same words.
    const words = (await read("cmdline.txt")).trim();
    t.match(await read("extlinux.conf"), `append ${words}\n`);
    t.match(await read("helios.conf"), `options ${words}\n`);
    t.match(await read("config.txt"), /\[all\]\nkernel=[^[]*$/, "for every board");
  });

  t.test("holds no secret: no key, no password, no seed, nothing that two machines would share", async (t) => {
    t.ok(Number(await read("files")) > 5000, "the whole root file system was looked at");
    for (const what of ["private-keys", "keys", "seeds"]) t.equal(await read(what), "", what);
    t.match(await read("passwords"), /^([!*]+\n)+$/, "nobody has one");
    t.match(await read("machine-id"), /^(uninitialized\n)?$/);
  });

  t.test("no secret of the machine is in what it runs, nor in anything that this was built from", async (t) => {
    await build("result");
    const infos = await run("path-info", "-r", ".#result", "--json");
    const closure = JSON.parse(infos.stdout) as readonly { physical: string; deriver: string }[];
    t.ok(
      closure.some(({ physical }) => physical.endsWith("-image")),
      "the image is part of the closure",
    );
    const store = dirname(closure[0]?.physical ?? "");
    const graph = await run("derivation", "show", "-r", ".#result");
    const derivations = JSON.parse(graph.stdout) as Readonly<Record<string, { readonly inputSrcs: readonly string[] }>>;
    t.ok(Object.keys(derivations).length > 200, "and all that was fetched and built for it");
    const written = join(directory, "derivations.json");
    await writeFile(written, graph.stdout);
    // What a derivation resolved to has as input sources what its inputs gave.
    const derivers = closure.map(({ deriver }) => deriver);
    const sources = Object.values(derivations).flatMap(({ inputSrcs }) => inputSrcs);
    const stored = [...derivers, ...sources].map((path) => join(store, basename(path)));
    const places = [...new Set([written, ...closure.map(({ physical }) => physical), ...stored])];
    const known = { ...secrets, place: `${secretPlace}/password` };
    const found = await filesWith(places, Object.values(known));
    for (const [name, secret] of Object.entries(secrets)) t.strictSame(found.get(secret), [], name);
    const told = new Set((found.get(known.place) ?? []).map((file) => file.replace(/^.*\/[0-9a-z]{32}-/, "")));
    for (const file of ["helios-cm5-image/helios-cm5-v2026.0.0-sdcard.img", "helios-cm5/resolved.toml", written])
      t.ok(told.has(file), `where it is, ${basename(file)} tells: so a secret would be found there`);
  });

  t.test("has a manifest that names each file's hash, and the packages", async (t) => {
    const image = await build("greeter");
    const manifest = JSON.parse(await readFile(join(image.file, "manifest.json"), "utf8")) as Record<string, unknown>;
    t.match(
      JSON.stringify(manifest),
      /"\/?etc\/greeting"[^}]*5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03/,
    );
    t.match(JSON.stringify(manifest), /"systemd"/);
  });

  t.test("beside it lie the configuration and a record of each program, without a copy of the image", async (t) => {
    const result = await build("result");
    const image = await build("greeter");
    const read = (file: string) => readFile(join(result.file, file), "utf8");
    t.equal(await read("manifest.json"), await readFile(join(image.file, "manifest.json"), "utf8"));
    const fileName = (await readdir(result.file)).find((name) => name.endsWith(".img")) ?? "";
    t.match(await readlink(join(result.file, fileName)), /^[.][.][/].*-helios-cm5-image[/]/, "a relative link");
    t.equal((await stat(join(result.file, fileName))).size, (await stat(join(image.file, fileName))).size);
    const resolved = await read("resolved.toml");
    t.match(resolved, '[services.units."greeter.service".service]');
    t.notMatch(resolved, root);
    const record = JSON.parse(await read("artifacts/helios-engine.json")) as Record<string, unknown>;
    t.match(record, { id: "helios-engine", producer: "program.rust", kind: "file", sha256: /^[0-9a-f]{64}$/ });
    t.strictSame(record["installed"], ["/usr/bin/helios-engine"]);
    t.match(JSON.parse(await read("artifacts/helios-engine.state.json")), {
      id: "helios-engine",
      fingerprint: /^[0-9a-f]{64}$/,
      output: record["path"],
    });
  });

  t.test("after one unit has changed, only what contains it is built again", async (t) => {
    await build("greeter");
    const plan = await run("plan", ".#systems.louder", "--json");
    t.equal(plan.code, 0, plan.stderr);
    const tasks = JSON.parse(plan.stdout) as readonly { readonly id: string; readonly state: string }[];
    t.strictSame(
      tasks.filter(({ state }) => state === "build" || state === "fetch").map(({ id }) => id),
      ["stage.render", "buildroot.build", "buildroot.collect"],
      "as planned: stage, root file system and image",
    );
    const changed = await run("build", ".#louder", "--no-link", "--progress", "json");
    t.equal(changed.code, 0, changed.stderr);
    const started = changed.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { type: string; name: string })
      .filter(({ type }) => type === "build-started");
    t.strictSame(
      [...new Set(started.map(({ name }) => name))].filter(
        (name) => !/^helios-cm5-(stage\.json|rootfs\.tar|rootfs-unit-check|image)$/.test(name),
      ),
      [],
    );
  });

  t.test("does not come to be when systemd would ignore a part of a unit", async (t) => {
    const result = await run("build", ".#misspelt", "--no-link");
    t.equal(result.code, 1, result.stderr);
    t.match(result.stderr, /greeter\.service:\d+: Unknown key 'PrivateTemp' in section \[Service\]/);
  });

  t.test("nor when udev or kmod would pass over a line of theirs", async (t) => {
    const rule = await run("build", ".#badRule", "--no-link");
    t.equal(rule.code, 1, rule.stderr);
    t.match(rule.stderr, /99-x\.rules:1 Invalid key 'GROUPP'/);
    const modprobe = await run("build", ".#badModprobe", "--no-link");
    t.equal(modprobe.code, 1, modprobe.stderr);
    t.match(modprobe.stderr, /x\.conf line 1: ignoring bad line starting with 'blaklist'/);
  });

  t.test("nor when systemd-sysusers, -tmpfiles or -networkd would", async (t) => {
    for (const [name, problem] of [
      ["badSysusers", /x\.conf:1: .*'y'/],
      ["badTmpfiles", /x\.conf:1: Unknown modifiers in command: dd/],
      ["badNetwork", /50-x\.network:4: Unknown key 'DHCPP' in section \[Network\]/],
      ["badNetdev", /50-x\.netdev:3: Failed to parse netdev kind, ignoring assignment: brige/],
    ] as const) {
      const result = await run("build", `.#${name}`, "--no-link");
      t.equal(result.code, 1, name);
      t.match(result.stderr, problem);
    }
  });

  t.test("of one of everything that systemd reads nothing is refused", () => build("everything"));

  t.test("of the generic profiles too is all that systemd reads as it wants it", async () => {
    await build("cloud");
    await build("development");
  });

  t.test("and a system of minimal, cloud and hardened keeps in a boot what they promise", async (t) => {
    const result = await run("check", "cloud", "--json");
    t.equal(result.code, 0, result.stderr);
    const [report] = JSON.parse(result.stdout) as [{ readonly results: readonly { readonly description: string }[] }];
    const verified = new Set(report.results.map(({ description }) => description));
    for (const promise of [
      "keys that the machine is given let their owners in, and nobody else",
      "the kernel has 23 of its parameters as configured",
      "the modules that no device may load are on modprobe's blacklist",
      "no program is run from /tmp",
    ])
      t.ok(verified.has(promise), promise);
  });

  t.test("a file that a package ships is not overwritten in silence: both writers are named", async (t) => {
    const result = await run("build", ".#doubled", "--no-link");
    t.equal(result.code, 1, result.stderr);
    t.match(result.stderr, /usr\/bin\/bash/);
    t.match(result.stderr, /stage/);
    t.match(result.stderr, /helios-cm5-base|bash/);
  });
});
