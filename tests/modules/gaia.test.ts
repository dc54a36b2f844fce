/** Long, since reading a tree and what follows from it are tested with the same helpers and one fixture. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import t, { type Test } from "tap";
import { checkAssertions, definedToml, EvaluationError, type Failure, showPlace } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { readGaia } from "#modules/gaia/document.ts";
import { gaiaConfiguration } from "#modules/gaia/index.ts";
import { workspaceRoot } from "#modules/gaia/tree.ts";
import { evalSystem, type System } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import cloud from "../../systems/cloud.ts";
import base from "../../systems/gaia.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";
import heliosDevelopment from "../../systems/helios-development.ts";
import { impossible, vocabulary } from "./gaia-vocabulary.ts";

const fixture = resolve(import.meta.dirname, "../fixtures/gaia");

/** Writes files, and gives the path of the first. */
function tree(t: Test, files: Readonly<Record<string, string>>): string {
  const directory = t.testdir({});
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return join(directory, Object.keys(files)[0] ?? "");
}

const systemOf = (
  file: string,
  { legacy = false, set = {} }: { readonly legacy?: boolean; readonly set?: Readonly<Record<string, string>> } = {},
) =>
  gaiaConfiguration({
    file,
    legacy,
    given: { set, environment: {} },
    pkgs: makePackages({ lock: viewLock(emptyLock) }),
    base: [base],
    directory: resolve(import.meta.dirname, "../.."),
  }).system as System;

/** Each problem as `file:line:column path: text`, with paths relative to the tree. */
function problemsOf(run: () => unknown, directory: string): string[] {
  const failure = failureOf(run);
  return failure.problems.map(({ path, problem, line, column, file = failure.file }) =>
    `${file}:${line ?? 0}:${column ?? 0} ${path.join(".")}: ${problem}`.replaceAll(`${directory}/`, ""),
  );
}

function failureOf(run: () => unknown): Extract<Failure, { reason: "bad-data" }> {
  try {
    run();
  } catch (error) {
    if (error instanceof EvaluationError && error.failure.reason === "bad-data") return error.failure;
    throw error;
  }
  throw new Error("expected the file to be refused");
}

const refused = (t: Test, files: Readonly<Record<string, string>>): string[] => {
  const file = tree(t, files);
  return problemsOf(() => readGaia(file), dirname(file));
};

t.test("reading a tree", async (t) => {
  t.test("in one file, local keys win over later imports, over earlier ones, over what is extended", async (t) => {
    const file = tree(t, {
      "build.toml": `extends = "parent.toml"\nimports = ["one.toml", "two.toml"]\nlocal = "local"\n`,
      "parent.toml": `local = "parent"\ntwo = "parent"\none = "parent"\nparent = "parent"\n`,
      "one.toml": `local = "one"\ntwo = "one"\none = "one"\n`,
      "two.toml": `local = "two"\ntwo = "two"\n`,
    });
    t.strictSame(readGaia(file).config, { parent: "parent", one: "one", two: "two", local: "local" });
  });

  t.test("tables merge at every depth; arrays and everything else are replaced", async (t) => {
    const file = tree(t, {
      "build.toml": `imports = ["a.toml"]\n[x.y]\nb = 2\nlist = [3]\nz = 1\n[[x.tables]]\nid = "c"\n`,
      "a.toml": `[x.y]\na = 1\nlist = [1, 2]\nz.deep = true\n[[x.tables]]\nid = "a"\n[[x.tables]]\nid = "b"\n`,
    });
    t.strictSame(readGaia(file).config, { x: { y: { a: 1, list: [3], z: 1, b: 2 }, tables: [{ id: "c" }] } });
  });

  t.test("an import stands at the table that has it, below all that is there already", async (t) => {
    const file = tree(t, {
      "build.toml": `imports = ["outer.toml"]\n[stage.env]\nimports = ["sets/env.toml"]\nlocal = "local"\n`,
      "outer.toml": `[stage.env]\nouter = "outer"\n`,
      "sets/env.toml": `imports = ["./more.toml"]\nlocal = "env"\nouter = "env"\n[sets.x]\nA = "1"\n`,
      "sets/more.toml": `outer = "more"\nmore = "more"\n`,
    });
    t.strictSame(readGaia(file).config, {
      stage: { env: { more: "more", local: "local", outer: "outer", sets: { x: { A: "1" } } } },
    });
  });

  t.test("paths start at the file that has them; absolute ones and a file on two ways are fine", async (t) => {
    const file = tree(t, {
      "configs/builds/build.toml": `imports = ["../a.toml", "../b.toml"]`,
      "configs/a.toml": `imports = ["./common.toml"]\na = 1\n`,
      "configs/b.toml": `imports = ["./common.toml"]\nb = 1\n`,
      "configs/common.toml": `common = 1\na = 0\n`,
    });
    // As in Gaia, what comes by both ways counts once more on the second.
    t.strictSame(readGaia(file).config, { common: 1, a: 0, b: 1 });
    const absolute = join(dirname(file), "absolute.toml");
    writeFileSync(absolute, `imports = ["${join(dirname(file), "build.toml")}"]`);
    t.strictSame(readGaia(absolute).config, { common: 1, a: 0, b: 1 });
  });

  t.test("JSON files can be part of a tree", async (t) => {
    const file = tree(t, { "build.json": `{"imports": ["a.toml"], "b": {"c": 1}}`, "a.toml": "[b]\nd = 2\n" });
    t.strictSame(readGaia(file).config, { b: { d: 2, c: 1 } });
  });

  t.test("each key knows the file that wrote it last, with line and column", async (t) => {
    const file = tree(t, {
      "build.toml": `[program]\nimports = ["rust.toml"]\n\n[program.rust]\nenabled = true\n`,
      "rust.toml": `[rust]\nenabled = false\n[[rust.artifacts]]\nid = "a"\n[[rust.artifacts]]\n  id = "b"\n`,
    });
    const { placeOf } = readGaia(file);
    const place = (path: string) => showPlace(placeOf(path.split(".")) ?? { file: "" }).replace(/^.*\//, "");
    t.equal(place("program.rust.enabled"), "build.toml:5:1");
    t.equal(place("program.rust.artifacts.1.id"), "rust.toml:6:3");
    t.equal(place("program.rust.artifacts.0.absent"), "rust.toml:3:3");
  });

  t.test("files of Windows are like any other; what is not UTF-8 is refused at the byte", async (t) => {
    const file = tree(t, { "build.toml": `\ufeff[x]\r\na = "1"\r\n\r\n[x.y]\r\nb = 1\r\n` });
    const { config, placeOf } = readGaia(file);
    t.strictSame(config, { x: { a: "1", y: { b: 1 } } });
    t.match(placeOf(["x", "y", "b"]), { line: 5, column: 1 });
    writeFileSync(file, Buffer.from('a = 1\nb = "caf\xe9"\n', "latin1"));
    t.match(
      problemsOf(() => readGaia(file), dirname(file)),
      ["build.toml:2:9 : this is not UTF-8 (byte 0xe9); save the file as UTF-8"],
    );
  });

  t.test("files that import each other are refused with the chain, by whatever name", async (t) => {
    const file = tree(t, { "a.toml": `\nimports = ["b.toml"]`, "b.toml": `[x]\nimports = ["link.toml"]` });
    symlinkSync("a.toml", join(dirname(file), "link.toml"));
    t.strictSame(
      problemsOf(() => readGaia(file), dirname(file)),
      ["b.toml:2:1 x.imports.0: this makes a cycle of files: a.toml → b.toml → a.toml"],
    );
    t.match(refused(t, { "self.toml": `extends = "self.toml"` }), [/^self.toml:1:1 extends: .*cycle/]);
  });

  t.test("a file that is missing, a directory, broken or no table is told at the line that names it", async (t) => {
    t.match(refused(t, { "build.toml": `\n[a]\nimports = ["./no.toml"]` }), [
      "build.toml:3:1 a.imports.0: cannot read no.toml: there is no such file",
    ]);
    t.match(refused(t, { "build.toml": `imports = ["d"]`, "d/x": "" }), [
      /imports.0: cannot read d: it is a directory/,
    ]);
    t.match(refused(t, { "build.toml": `imports = ["x.toml"]`, "x.toml": "a = 1\nb = [1,\n" }), [/^x.toml:\d+:\d+ : /]);
    t.match(refused(t, { "build.toml": `imports = ["/dev/zero"]` }), [
      /imports.0: cannot read \/dev\/zero: it is no regular/,
    ]);
    t.match(refused(t, { "build.json": "[1]" }), [/the file does not hold a table/]);
    t.match(refused(t, { "build.toml": `imports = ["x.toml", 3]`, "x.toml": "" }), [/imports must be a list of paths/]);
  });

  t.test("files that are too large, too deep or too many are refused quickly", async (t) => {
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (_, level): [string, string] => [
        level === 0 ? "build.toml" : `${level}.toml`,
        level === 39 ? "leaf = 1\n" : `[a]\nimports = ["${level + 1}.toml"]\n[b]\nimports = ["${level + 1}.toml"]\n`,
      ]),
    );
    t.match(refused(t, doubling), [/more than 100000 keys/]);
    t.match(refused(t, { "build.toml": `# ${"x".repeat(5 << 20)}\n` }), [
      /it has \d+ bytes, and a file like this at most/,
    ]);
    t.match(refused(t, { "build.toml": `${Array.from({ length: 200 }, () => "a").join(".")} = 1\n` }), [
      /nested more than/,
    ]);
    t.match(refused(t, { "build.toml": `x = ${"[".repeat(50_000)}${"]".repeat(50_000)}\n` }), [/nested too deep/]);
    const chain = Object.fromEntries(
      Array.from({ length: 120 }, (_, index): [string, string] => [`${index}.toml`, `extends = "${index + 1}.toml"\n`]),
    );
    t.match(refused(t, chain), [/more than 100 files/]);
  });

  t.test("keys of JavaScript's own objects are keys like any other", async (t) => {
    const file = tree(t, {
      "build.toml": `imports = ["a.toml"]\n[__proto__]\nb = 1\n`,
      "a.toml": `[__proto__]\na = 1\n`,
    });
    const { config } = readGaia(file);
    t.strictSame(Object.entries(config), [["__proto__", { a: 1, b: 1 }]]);
    t.equal(Reflect.get({}, "a"), undefined);
  });
});

t.test("a relative root is found from the file, wherever the command is run", async (t) => {
  const root = (file: string, root_dir: string) => workspaceRoot(file, root_dir);
  t.equal(root("/x/gaia/configs/builds/cm5.toml", "."), "/x/gaia");
  t.equal(root("/x/gaia/configs/builds/pi/cm5.toml", "."), "/x/gaia");
  t.equal(root("/x/gaia/build.toml", "."), "/x/gaia");
  t.equal(root("/x/configs/gaia/build.toml", "."), "/x/configs/gaia");
  t.equal(root("/x/examples/helios/build.toml", "examples/helios"), "/x/examples/helios");
  t.equal(root("/x/examples/pv/gaia/build.toml", "examples/pv"), "/x/examples/pv");
  t.equal(root("/x/gaia/configs/builds/cm5.toml", ".."), "/x");
  t.equal(root("/x/build.toml", "/srv/./tree"), "/srv/tree");
  t.equal(root("/x/gaia/build.toml", "elsewhere"), undefined);
});

/** As the guide prints them, by the path that it names. */
const guide = {
  "configs/builds/HeliOS-cm5.toml": `imports = [
  "../workspace/base.toml",
  "../distros/helios/base.toml",
  "../platforms/pi/cm5.toml",
]

[build]
version = "v2026.0.0"

[buildroot]
collect_out_dir = "output/HeliOS-cm5/{version}/images"
archive_mode = "image"
archive_name = "HeliOS-cm5-{version}-sdcard"
`,
  "configs/workspace/base.toml": `[workspace]
root_dir = "."
build_dir = "build"
out_dir = "output"
clean = "none"

[workspace.paths]
# optional aliases
`,
  "configs/platforms/pi/cm5.toml": `imports = ["./base.toml"]

[buildroot]
expand_size_mb = 2300

[buildroot.rpi]
board = "cm5"
defconfig = "raspberrypicm5io_defconfig"
overlay = "assets/overlays/cm5"

[program.profiles.aarch64-linux.env]
RUSTFLAGS = "-C target-cpu=cortex-a76 --cfg feature=\\"ffmpeg_8_0\\""
`,
};

t.test("the fragments of the guide work as they are", async (t) => {
  for (const [name, text] of Object.entries(guide)) t.equal(readFileSync(join(fixture, name), "utf8"), text, name);
  const { config } = systemOf(join(fixture, "configs/builds/HeliOS-cm5.toml"));
  checkAssertions(config);
  t.strictSame(
    config.warnings.map((message) => message.replace(/^\S+: /, "")),
    [
      "program.profiles.aarch64-linux.container_image: there is no environment 'helios-cross', so builds run in the environments that are built in; declare it in program.environments if they will not do.",
      "'cargo-fmt' never runs. Name it in check_ids of an artifact, of program.rust, .java or .custom, or of program.lint.",
    ],
  );

  t.test("the build is named after its file, and its image after the archive", async (t) => {
    t.equal(config.build.name, "HeliOS-cm5");
    t.equal(config.build.version, "v2026.0.0");
    t.equal(config.image.fileName, "HeliOS-cm5-v2026.0.0-sdcard.img");
    t.equal(config.image.root.label, "HELIOS");
    t.equal(config.networking.hostName, "helios");
  });

  t.test("nested imports and the order of platforms over distros count", async (t) => {
    t.equal(config.program.check_policy, "warn");
    t.equal(config.program.lint.enabled, false);
    t.equal(config.buildroot.defconfig, "raspberrypicm5io_defconfig");
    t.strictSame(config.program.profiles["aarch64-linux"]?.env, {
      RUSTFLAGS: '-C target-cpu=cortex-a76 --cfg feature="ffmpeg_8_0"',
    });
    t.equal(config.stage.env.sets["helios-engine"]?.["LOG_FOLDER"], "/var/log/helios");
  });

  t.test("packages of Buildroot become packages of the base", async (t) => {
    const { install } = config.buildroot.starting_point.packages;
    for (const name of ["systemd", "openssh-server", "dnsmasq-base", "ffmpeg", "libcamera-ipa"])
      t.ok(install.includes(name), name);
  });

  t.test("the board's files become boot options and staged files", async (t) => {
    t.match(config.boot.configTxt, "dtoverlay=dwc2");
    t.notMatch(config.boot.configTxt, "dtparam=nvme", "the profile's own lines are replaced");
    t.ok(config.boot.kernelParams.includes("console=tty1"));
    t.ok(config.boot.kernelParams.includes("fsck.repair=yes"));
    t.notOk(config.boot.commandLine.includes("/dev/mmcblk0p2"));
    t.equal(staged(config, "/etc/modules-load.d/camera.conf")?.mode, "0644");
  });

  t.test("the table of users becomes accounts, with groups that no base has", async (t) => {
    const { users, groups, ids } = config.users;
    t.match(users["pi"], { group: "pi", home: "/home/pi", shell: "/bin/bash", extraGroups: ["video", "gpio"] });
    t.match(users["pi"], { description: "Helios user", createHome: true, hashedPassword: /^\$6\$tree\$/ });
    t.match(users["helios"], { isSystemUser: true, shell: "/bin/false", createHome: false, hashedPassword: "*" });
    t.equal(ids.groups["cameras"], 2000);
    t.strictSame(Object.keys(groups).sort(), ["cameras", "gpio", "root"]);
  });

  t.test("directories, modes and assets are looked up on the disk", async (t) => {
    t.match(staged(config, "/usr/share/helios/pipeline-templates"), { recursive: true, mode: "0755" });
    t.match(staged(config, "/usr/local/bin/helios-engine-prepare.sh"), {
      mode: "0755",
      src: join(fixture, "assets/services/helios-engine/helios-engine-prepare.sh"),
    });
    t.match(staged(config, "/opt/helios/frontend"), { recursive: true });
    t.equal(
      staged(config, "/etc/default/helios-engine")?.content,
      "ENGINE_METRICS_ADDR=0.0.0.0:5804\nLOG_FOLDER=/var/log/helios\nLOG_TRUNCATION_HEADER='[helios] cut at its limit'\n",
    );
    t.match(staged(config, "/etc/os-release"), { src: "assets/etc/os-release", fallback: false });
    t.equal(config.stage.files.filter(({ dst }) => dst === "/etc/os-release").length, 1);
  });

  t.test("units keep their links", async (t) => {
    t.strictSame(config.services.units["helios-engine.socket"]?.wantedBy, ["sockets.target"]);
    t.strictSame(config.services.units["systemd-networkd.service"]?.vendor, true);
    t.notOk(Object.hasOwn(config.services.units, "systemd-networkd-wait-online.service"));
  });

  t.test("paths of programs start at their sources", async (t) => {
    t.match(config.program.custom.artifacts, [{ output_path: "build", kind: "dir", prebuilt_path: null }]);
    t.equal(config.workspace.root_dir, fixture);
  });
});

t.test("a file that extends another one changes what it names, and keeps the rest", async (t) => {
  const { config, options } = systemOf(join(fixture, "configs/builds/HeliOS-lab.toml"));
  checkAssertions(config);
  t.equal(config.build.version, "v2026.0.0-lab");
  t.equal(config.image.fileName, "HeliOS-cm5-v2026.0.0-lab-sdcard.img");
  t.equal(config.inputs.resolved["channel"], "edge");
  t.notOk(config.buildroot.starting_point.packages.install.includes("ffmpeg"));
  t.notOk(Object.hasOwn(config.services.units, "var-lib-helios.mount"));
  const places = options.buildroot.rpi.board.provenance.map(({ place }) => showPlace(place ?? { file: "" }));
  t.ok(places.includes("tests/fixtures/gaia/configs/platforms/pi/cm5.toml:7:1"), places.join());
});

t.test("what resolve prints makes the same system again, image and records", async (t) => {
  const directory = resolve(import.meta.dirname, "../..");
  const same = (t: Test, first: System["config"], file: string): void => {
    writeFileSync(file, definedToml(first.system.resolved));
    const { config } = systemOf(file);
    t.equal(definedToml(config.system.resolved), definedToml(first.system.resolved), "the same text");
    t.equal(config.system.build.result, first.system.build.result, "the same derivation");
  };
  for (const [name, module] of Object.entries({ helios: heliosCm5, cloud, development: heliosDevelopment }))
    t.test(`of the system ${name}, wherever the file lies`, async (t) => {
      const pkgs = makePackages({ lock: viewLock(emptyLock) });
      const { config } = evalSystem({ pkgs, modules: [module], directory });
      same(t, config, join(t.testdir({}), "anything.toml"));
    });
  t.test("of a Gaia tree, at its top", async (t) => {
    const top = t.testdir({});
    cpSync(fixture, top, { recursive: true });
    const file = join(top, "configs/builds/own.toml");
    writeFileSync(file, `extends = "HeliOS-cm5.toml"\n[buildroot.symbols]\nBR2_ROOTFS_USERS_TABLES = ""\n`);
    const first = systemOf(file, { set: { channel: "edge" } }).config;
    same(t, first, join(top, "resolved.toml"));
    t.notMatch(definedToml(first.system.resolved), top, "no path of this machine");
  });

  t.test("what it leaves out is told, and stays left out", async (t) => {
    const top = t.testdir({});
    cpSync(fixture, top, { recursive: true });
    const { config } = systemOf(join(top, "configs/builds/HeliOS-cm5.toml"));
    writeFileSync(join(top, "resolved.toml"), definedToml(config.system.resolved));
    const again = systemOf(join(top, "resolved.toml")).config;
    t.match(again.warnings.join(), /resolved\.toml is without .*users\.users\.pi\.hashedPassword/);
    t.equal(definedToml(again.system.resolved), definedToml(config.system.resolved));
  });

  t.test("what only looks like one is read as any other file", async (t) => {
    const file = tree(t, { "build.json": `{ "resolved": null }` });
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/^build\.json:1:3 resolved: /],
    );
  });

  t.test("in the store, it cannot find the files of its tree, and says so", async (t) => {
    const file = tree(t, {
      "nix/store/x/resolved.toml": `[resolved]\npaths = "file"\n[[stage.files]]\ndst = "/a"\nsrc = "assets/a"\n`,
    });
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/^resolved\.toml:2:1 resolved\.paths: .*lies in the store, without what 'assets\/a' names\. Copy it/],
    );
  });
});

t.test("builds of one name are pinned apart, and by what they ask for", async (t) => {
  const lock = viewLock(emptyLock);
  const pkgs = makePackages({ lock });
  const asked = (text: string): readonly string[] => {
    const known = new Set(lock.requested.keys());
    const file = tree(t, { "build.toml": text });
    void gaiaConfiguration({
      file,
      legacy: false,
      given: { set: {}, environment: {} },
      pkgs,
      base: [base],
      directory: fixture,
    }).package;
    return [...lock.requested.keys()].filter((name) => !known.has(name) && name.startsWith("gaia-"));
  };
  t.match(asked(""), [/^gaia-base-[0-9a-f]{12}$/, /^gaia-linux-[0-9a-f]{12}$/]);
  t.match(asked("[buildroot.packages]\ndnsmasq = true\n"), [/^gaia-base-/], "other packages, and the same kernel");
  t.strictSame(asked(`[build]\nversion = "2"\n`), [], "the same packages");
});

t.test("inputs come from the command line, and the environment of the process", async (t) => {
  const file = join(fixture, "configs/builds/HeliOS-cm5.toml");
  t.equal(systemOf(file).config.inputs.resolved["channel"], "stable");
  t.equal(systemOf(file, { set: { channel: "edge" } }).config.inputs.resolved["channel"], "edge");
});

/** What Gaia accepted without a word, one of each kind. */
const sloppy = {
  "build.toml": `
imports = ["a.toml", " "]
[stage]
enabeld = true
files = [{ dst = "/etc/a", content = "1" }, { dst = "/etc/a", content = "2", src = "nothing", colour = "red" }]
[stage.services]
allowed_prefixes = ["helios-"]
imports = "not-a-list"
[unheard.of]
x = 1
`,
  "a.toml": `
[buildroot]
defconfig = ""
compression = "brotli"
[buildroot.kernel]
repo = "linux"
[buildroot.packages]
rust = true
[program.profiles.arm]
linker = "ld"
`,
};

t.test("what Gaia accepted without a word", async (t) => {
  t.test("is refused, each with its place", async (t) => {
    const file = tree(t, sloppy);
    t.strictSame(problemsOf(() => systemOf(file), dirname(file)).sort(), [
      "a.toml:10:1 program.profiles.arm.linker: Gaia itself never read this. The pinned toolchain brings its linker; give flags in env.RUSTFLAGS",
      'a.toml:3:1 buildroot.defconfig: must match pattern "^(?:[A-Za-z0-9_-]+_defconfig)$", not ""',
      'a.toml:4:1 buildroot.compression: must be one of "none", "gzip", "bzip2", "lz4", "lzma", "lzo", "xz", "zstd"',
      "a.toml:5:2 buildroot.kernel: Gaia itself never read this. Set boot.kernel, boot.kernelParams and buildroot.linux",
      "build.toml:2:1 imports.1: an import is empty",
      "build.toml:4:1 stage.enabeld: there is no such option",
      "build.toml:5:95 stage.files.1.colour: there is no such option",
      "build.toml:7:1 stage.services.allowed_prefixes: Gaia itself never read this. stage.files refuses two writers of one path instead",
      "build.toml:8:1 stage.services.imports: imports must be a list of paths",
      "build.toml:9:2 unheard: there is no such option",
    ]);
  });

  t.test("is only warned of with --legacy, each with its place, and the rest counts", async (t) => {
    const file = tree(t, sloppy);
    const { config } = systemOf(file, { legacy: true });
    checkAssertions(config);
    t.equal(staged(config, "/etc/a")?.content, "2");
    const warnings = config.warnings.map((message) => message.replace(/^\S*\//, "")).sort();
    for (const expected of [
      /^build.toml:4:1: stage.enabeld: there is no such option; it is ignored\.$/,
      /^build.toml:5:\d+: stage.files.1.colour: there is no such option/,
      /^build.toml:5:\d+: stage.files.1.src: content is set as well, and wins; it is ignored/,
      /^build.toml:5:\d+: stage.files.0: '\/etc\/a' is written by stage.files.1 as well \(\S+:5:\d+\); the last one counts/,
      /^build.toml:7:1: stage.services.allowed_prefixes: Gaia itself never read this/,
      /^build.toml:8:1: stage.services.imports: imports must be a list/,
      /^build.toml:9:2: unheard: there is no such option/,
      /^build.toml:2:1: imports.1: an import is empty/,
      /^a.toml:3:1: buildroot.defconfig: /,
      /^a.toml:4:1: buildroot.compression: /,
      /^a.toml:5:2: buildroot.kernel: /,
      /^a.toml:10:1: program.profiles.arm.linker: /,
      /^program.profiles: 'arm' is used by nothing/,
      /buildroot.packages: 'rust'|buildroot.packages.rust/,
    ])
      t.ok(
        warnings.some((warning) => expected.test(warning)),
        `${String(expected)} in\n${warnings.join("\n")}`,
      );
    t.equal(warnings.length, 14, warnings.join("\n"));
  });

  t.test("without --legacy, two writers of one path are told at both", async (t) => {
    const file = tree(t, {
      "build.toml": `[[stage.files]]\ndst = "/etc/a"\ncontent = "1"\n[[stage.env.files]]\npath = "/etc/a"\n`,
    });
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/^build.toml:1:3 stage.files.0: '\/etc\/a' is written by stage.env.files.0 as well \(\S*build.toml:4:3\)$/],
    );
  });

  t.test("with --legacy, an asset over a unit file becomes the unit's file", async (t) => {
    const file = tree(t, {
      "build.toml": `[stage.services.units.data]\nsrc = "data.mount"\ntargets = ["local-fs"]\n[stage.services.units.zoo]\nvendor = true\nassets = [{ src = "other/data.mount", dst = "/etc/systemd/system/data.mount" }]\n`,
      "data.mount": "",
      "other/data.mount": "",
    });
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/units.data: '\/etc\/systemd\/system\/data.mount' is written by stage.services.units.zoo.assets.0 as well/],
    );
    const { config } = systemOf(file, { legacy: true });
    t.equal(staged(config, "/etc/systemd/system/data.mount")?.src, "other/data.mount");
    t.strictSame(config.services.units["data.mount"]?.wantedBy, ["local-fs.target"]);
    t.equal(config.stage.files.filter(({ dst }) => dst === "/etc/systemd/system/data.mount").length, 1);
  });

  t.test("inputs that nobody declared are taken with --legacy, with a type that is guessed", async (t) => {
    const file = tree(t, { "build.toml": `[inputs.values]\nlevel = 3\n` });
    t.throws(() => checkAssertions(systemOf(file, { set: { fast: "yes" } }).config), /there is no input 'fast'/);
    const { config } = systemOf(file, { legacy: true, set: { fast: "yes" } });
    checkAssertions(config);
    t.strictSame({ ...config.inputs.resolved }, { level: 3, fast: true });
    t.match(config.warnings, [/level: is given and not declared/, /fast: .* type bool/]);
  });

  t.test("what had a meaning is an error also with --legacy", async (t) => {
    const file = tree(t, {
      "build.toml": `[buildroot.starting_point]\npackages = { remove = ["x"] }\n[stage]\nfiles = [{ dst = 3 }]\n`,
    });
    t.match(
      problemsOf(() => systemOf(file, { legacy: true }), dirname(file)),
      [/starting_point.packages.remove: nothing is removed from a base/, /stage.files.0.dst: .*must be string/],
    );
  });
});

t.test("each key that Gaia reads is an option, has no meaning here, or is refused with what to do", async (t) => {
  const file = tree(t, {
    "build.json": JSON.stringify(vocabulary),
    file: "arm_64bit=1\n",
    "rootfs.tar": "",
    "ext/x": "",
    "overlay/x": "",
  });
  t.strictSame(
    problemsOf(() => systemOf(file), dirname(file))
      .map((each) => each.replace(/^\S+ (\S+): .*$/, "$1"))
      .sort(),
    impossible,
  );
  const rest = structuredClone(vocabulary) as unknown as Record<string, unknown>;
  for (const name of impossible) {
    const path = name.split(".");
    const last = path.pop() ?? "";
    Reflect.deleteProperty(
      path.reduce<Record<string, unknown>>((table, key) => table[key] as Record<string, unknown>, rest),
      last,
    );
  }
  const messageOf = (document: object): string => {
    writeFileSync(file, JSON.stringify(document));
    const { config } = systemOf(file);
    try {
      checkAssertions(config);
    } catch (error) {
      return String(error);
    }
    return "";
  };
  t.match(messageOf(rest), /target_dir` is not of .*: Each build has a target directory of its own/);
  const artifacts = (rest["program"] as typeof vocabulary.program).rust.artifacts as Record<string, unknown>[];
  Reflect.deleteProperty(artifacts[1] ?? {}, "target_dir");
  for (const key of ["ref", "branch"]) {
    t.match(messageOf(rest), new RegExp(`${key}\` is not of type`), key);
    Reflect.deleteProperty(artifacts[2]?.["source"] ?? {}, key);
  }
  t.equal(messageOf(rest), "");
});

t.test("a base from elsewhere", async (t) => {
  const point = (text: string) => `[buildroot.starting_point]\n${text}\n`;
  const layers = (config: System["config"]) =>
    JSON.parse(config.system.build.base.archive.env.get("layers") ?? "") as {
      name: string;
      kind: string;
      path: string;
    }[];
  t.test("lies over the defaults, and there are no packages unless they are asked for", async (t) => {
    const file = tree(t, { "build.toml": point(`rootfs_tar = "rootfs.tar"`), "rootfs.tar": "" });
    const { config } = systemOf(file);
    checkAssertions(config);
    t.match(layers(config), [{ name: "defaults" }, { name: "build-base-import", kind: "tar", force: true }]);
    writeFileSync(file, point(`rootfs_tar = "rootfs.tar"\npackages = { enabled = true }`));
    t.strictSame(
      layers(systemOf(file).config).map(({ name }) => name),
      ["build-base", "defaults", "build-base-import"],
    );
  });

  t.test("is an archive, a directory or an image, and only one of them", async (t) => {
    const files = { "rootfs/etc/x": "", "disk.img": "", "a.tar": "" };
    const of = (text: string) => systemOf(tree(t, { "build.toml": point(text), ...files })).config;
    t.equal(layers(of(`rootfs_dir = "rootfs"`))[1]?.kind, "entries");
    t.equal(layers(of(`image = "disk.img"\nimage_partition = "/dev/loop0p2"`))[1]?.kind, "entries");
    const refusal = (text: string) => {
      try {
        checkAssertions(of(text));
      } catch (error) {
        return String(error);
      }
      return "";
    };
    t.match(refusal(`rootfs_dir = "rootfs"\nrootfs_tar = "a.tar"`), "these are set: rootfs_tar, rootfs_dir");
    t.match(refusal(`image_partition = "2"`), "image_partition is set, and image is not");
    t.match(refusal(`packages = { enabled = false }`), "there is no tree to start from");
  });

  t.test("has to be there", async (t) => {
    const file = tree(t, { "build.toml": point(`image = "no.img"`) });
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/^build\.toml:2:1 buildroot\.starting_point\.image: cannot read no\.img: there is no such file/],
    );
    writeFileSync(file, point(`rootfs_tar = ""`));
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/rootfs_tar: an empty path/],
    );
  });
});

t.test("accounts as Buildroot has them", async (t) => {
  const symbols = (text: string) => `[buildroot]\nexternal = ["ext"]\n[buildroot.symbols]\n${text}\n`;
  const usersTable = `ROOTFS_USERS_TABLES = "board/b/users.table"`;
  t.test("the hash of root's password is root's, and is not written down", async (t) => {
    const file = tree(t, { "build.toml": symbols(`br2_target_generic_root_passwd = "$$6$$salt$$hash"`) });
    const { config } = systemOf(file);
    t.equal(config.users.users["root"]?.hashedPassword, "$6$salt$hash");
    t.notMatch(definedToml(config.system.resolved), "salt");
    writeFileSync(file, symbols(`BR2_TARGET_GENERIC_ROOT_PASSWD = "root"`));
    t.throws(() => checkAssertions(systemOf(file).config), /is a password in the clear/);
  });

  t.test("what the tree says itself wins over its table", async (t) => {
    const { config } = systemOf(
      tree(t, {
        "build.toml": `${symbols(usersTable)}[users.users.pi]\nshell = "/bin/sh"\n`,
        "ext/boards/b/users.table": "pi 1001 pi 1001 ! /home/pi /bin/bash - Pi\n",
      }),
    );
    t.match(config.users.users["pi"], { shell: "/bin/sh", uid: 1001, hashedPassword: "!" });
    t.equal(config.users.ids.groups["pi"], 1001);
  });

  t.test("lines that cannot be are told with their places", async (t) => {
    const file = tree(t, {
      "build.toml": symbols(usersTable),
      "ext/board/b/users.table":
        "# users\npi -1 pi\nada x ada -1 ! - - - -\nBob -1 bob -1 ! - - - -\neve -1 eve -1 =secret /home/eve /bin/sh - -\n",
    });
    const problems = problemsOf(() => systemOf(file), dirname(file)).map((each) => each.replace(/^.*TABLES: /, ""));
    t.match(problems, [
      /^ext\/board\/b\/users.table:2: a user has nine fields/,
      /^ext\/board\/b\/users.table:3: 'x' and '-1' are to be numbers/,
      /^ext\/board\/b\/users.table:4: 'Bob' cannot be the name/,
      /^ext\/board\/b\/users.table:5: 'eve' has a password in the clear/,
    ]);
    t.notMatch(problems.join(), "secret");
    writeFileSync(file, symbols(`ROOTFS_USERS_TABLES = "nowhere"`));
    t.match(
      problemsOf(() => systemOf(file), dirname(file)),
      [/there is no 'nowhere': looked for at ext\/nowhere, nowhere/],
    );
  });

  t.test("a group keeps its number when later lines leave it open", async (t) => {
    const { config } = systemOf(
      tree(t, {
        "build.toml": symbols(usersTable),
        "ext/board/b/users.table": "ada -1 crew 2000 ! - - - -\nbob -1 crew -1 ! - - - -\neve -1 eve -1 ! - - crew -\n",
      }),
    );
    t.equal(config.users.groups["crew"]?.gid, 2000);
    t.strictSame(config.users.users["eve"]?.extraGroups, ["crew"]);
  });

  t.test("no password is a locked account, which is told", async (t) => {
    const { config } = systemOf(
      tree(t, { "build.toml": symbols(usersTable), "ext/board/b/users.table": "pi -1 pi -1 - /home/pi /bin/sh - -" }),
    );
    t.equal(config.users.users["pi"]?.hashedPassword, null);
    t.match(config.warnings.join(), /'pi' has no password; here that is a locked account/);
  });
});

t.test("local files and image paths that cannot be", async (t) => {
  const problems = (text: string, files: Readonly<Record<string, string>> = {}) => {
    const file = tree(t, { "build.toml": text, ...files });
    return problemsOf(() => systemOf(file), dirname(file));
  };
  t.match(problems(`[[stage.files]]\nsrc = "assets/no"\ndst = "/etc/a"\n`), [
    /^build.toml:2:1 stage.files.0.src: cannot read assets\/no: there is no such file. Relative paths start at workspace.root_dir, which is \//,
  ]);
  t.match(problems(`[[stage.files]]\nsrc = "@lost/x"\ndst = "/etc/a"\n`), [/'@lost\/x' starts with an alias/]);
  t.match(problems(`[[stage.files]]\ncontent = ""\ndst = "/etc/../shadow"\n`), [
    /stage.files.0.dst: .*must match pattern/,
  ]);
  t.match(problems(`[[stage.files]]\ncontent = ""\ndst = "etc/a"\n`), [/stage.files.0.dst: .*must match pattern/]);
  t.match(problems(`[stage.services.units.x]\nsrc = "d"\n`, { "d/file": "" }), [/is a directory, not a unit file/]);
  const empty = tree(t, { "build.toml": `[buildroot]\narchive_format = "tr"\n` });
  t.notOk(failureOf(() => systemOf(empty)).problems.some(({ suggestions }) => suggestions.includes("")));
  t.match(problems(`[boot.files."../x.dtbo"]\ncontent = ""\n`), [
    /^build.toml:1:\d+ boot.files.*: a part of it is '\.\.'. Write a path below the top of the partition/,
  ]);
  t.match(
    problems(`[[stage.files]]\ncontent = ""\ndst = "/bin/x"\n[[stage.files]]\ncontent = ""\ndst = "/usr/bin/x"\n`),
    [/^build.toml:1:\d+ stage.files.0: '\/usr\/bin\/x' is written by stage.files.1 as well \(\S*build.toml:4:3\)$/],
  );
  t.match(problems(`[workspace]\nroot_dir = "elsewhere"\n`), [
    /^build.toml:2:1 workspace.root_dir: 'elsewhere' is relative/,
  ]);
  t.match(problems(`[workspace]\nbuild_dir = "../build"\n`), [/workspace.build_dir: .*must match pattern/]);
  t.match(problems(`[buildroot]\nperformance_profile = "maximal"\n`), [/performance_profile: must be one of "max"/]);
  t.match(problems(`[buildroot]\narchive_name = "x-{version}"\n`), [/archive_name: it has {version} in it/]);
  t.match(
    problems(
      `[[program.custom.artifacts]]\nid = "x"\ncwd = "src"\nbuild_command = ["make"]\noutput_path = "elsewhere/x"\n`,
      { "src/x": "" },
    ),
    [/output_path: elsewhere\/x is not below src/],
  );
  const file = tree(t, {
    "in/build.toml": `[stage.services.units.x]\nsrc = "u.service"\nassets = [{ src = "../out", dst = "/etc/a" }]\n`,
    "in/u.service": "",
    out: "",
  });
  t.throws(() => checkAssertions(systemOf(file).config), /must not have '\.\.' in it/);
});

t.test("a local path that leads nowhere is told with its option and place", async (t) => {
  const said = (text: string, files: Readonly<Record<string, string>> = {}): string => {
    const file = tree(t, { "build.toml": text, ...files });
    return messageOf(() => systemOf(file)).replaceAll(`${dirname(file)}/`, "");
  };
  const missing = (option: RegExp, place: string) =>
    new RegExp(
      `${option.source} \\(\\S*build\\.toml:${place}\\): cannot read nope: there is no such file\\. Relative paths start at workspace\\.root_dir, which is /`,
    );
  t.match(said(`[boot.files."x.dtbo"]\nsrc = "nope"\n`), missing(/boot\.files\."x\.dtbo"\.src/, "2:1"));
  const artifact = (group: string, rest: string): string =>
    `[[program.${group}.artifacts]]\nid = "first"\nenabled_if = ["off"]\ncwd = "gone"\nbuild_command = ["make"]\noutput_path = "gone/x"\n[[program.${group}.artifacts]]\nid = "a"\n${rest}[inputs.options.off]\ndefault = false\n`;
  t.match(
    said(artifact("rust", `workspace_dir = "nope"\n`).replace(`output_path = "gone/x"\n`, "")),
    missing(/program\.rust\.artifacts: 'a': workspace_dir/, "8:1"),
  );
  t.match(
    said(
      artifact("java", `cwd = "nope"\n`)
        .replace(`output_path = "gone/x"\n`, "")
        .replace(`build_command = ["make"]\n`, ""),
    ),
    missing(/program\.java\.artifacts: 'a': cwd/, "7:1"),
  );
  t.match(
    said(
      `[[program.custom.artifacts]]\nid = "a"\ncwd = "src"\nbuild_command = ["make"]\noutput_path = "src/x"\nnpm_lock = "nope"\n`,
      { "src/y": "" },
    ),
    missing(/program\.custom\.artifacts: 'a': npm_lock/, "6:1"),
  );
  t.match(
    said(`[[program.custom.artifacts]]\nid = "a"\ncwd = "/"\nbuild_command = ["make"]\noutput_path = "/x"\n`),
    /'a': cwd \(\S*build\.toml:3:1\): it leads to \/, the whole file system/,
  );
  t.match(
    said(`[[program.custom.artifacts]]\nid = "a"\nmode = "prebuilt"\nprebuilt_path = "nope"\n`),
    missing(/program\.custom\.artifacts: 'a': prebuilt_path/, "4:1"),
  );
  t.match(
    said(`[program.rust]\nworkspace_dir = "nope"\n[[program.rust.artifacts]]\nid = "a"\n`),
    missing(/program\.rust\.workspace_dir/, "2:1"),
  );
  t.match(
    said(
      `[[program.custom.artifacts]]\nid = "a"\ncwd = "src"\nbuild_command = ["make"]\noutput_path = "src/x"\nnpm_lock = "lock"\n`,
      { "src/y": "", lock: "{" },
    ),
    /'a': npm_lock \(\S*build\.toml:6:1\): lock: it is no JSON/,
  );
  const overlay = tree(t, { "build.toml": `[buildroot.rpi]\noverlay = "nope"\n` });
  t.match(
    problemsOf(() => systemOf(overlay), dirname(overlay)),
    [/buildroot\.rpi\.overlay: cannot read nope: there is no such file\. Relative paths start at/],
  );
  const laid = tree(t, {
    "build.toml": `[buildroot.rpi]\noverlay = "o"\n[[stage.files]]\ndst = "/usr/bin/x"\ncontent = ""\n`,
    "o/bin/x": "",
  });
  t.equal(
    messageOf(() => systemOf(laid)),
    "",
    "what is staged wins over an overlay, by either name",
  );
  const blamed = (output: string): readonly string[] => {
    const file = tree(t, {
      "build.toml": `[[program.custom.artifacts]]\nid = "a"\ncwd = "nodir"\nbuild_command = ["make"]\noutput_path = "${output}"\n`,
    });
    return problemsOf(() => systemOf(file), dirname(file));
  };
  t.match(blamed("out"), [
    /^build\.toml:3:1 program\.custom\.artifacts\.0\.cwd: cannot read nodir: there is no such file\./,
  ]);
  t.match(
    said(`[[program.custom.artifacts]]\nid = "a"\ncwd = "nope"\nbuild_command = ["make"]\noutput_path = "nope/x"\n`),
    missing(/program\.custom\.artifacts: 'a': cwd/, "3:1"),
  );
  const flag = (text: string): readonly string[] => {
    const file = tree(t, { "build.toml": `[[stage.files]]\ndst = "/etc/a"\n${text}`, "d/x": "", f: "" });
    return problemsOf(() => systemOf(file), dirname(file));
  };
  t.match(flag(`src = "d"\nrecursive = false\n`), [
    /^build\.toml:4:1 stage\.files\.0\.recursive: d is a directory, so this is to be true/,
  ]);
  t.match(flag(`src = "f"\nrecursive = true\n`), [
    /^build\.toml:4:1 stage\.files\.0\.recursive: f is no directory, so this is to be false/,
  ]);
});

/** What is said of a system whose assertions fail; empty if none does. */
function messageOf(system: () => System): string {
  try {
    checkAssertions(system().config);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

t.test("an overlay's files have the same places in the image, however its path is written", async (t) => {
  const file = tree(t, { "build.toml": "", "overlay/etc/own/x": "x\n" });
  symlinkSync("x", join(dirname(file), "overlay/etc/own/link"));
  for (const overlay of ["overlay", "overlay/", "./overlay/.", `${dirname(file)}/overlay/`]) {
    writeFileSync(file, `[buildroot.rpi]\noverlay = "${overlay}"\n`);
    const { config } = systemOf(file);
    t.equal(staged(config, "/etc/own/x")?.mode, "0644", overlay);
    t.equal(staged(config, "/etc/own/link")?.link, "x", overlay);
  }
});

function staged(config: System["config"], dst: string) {
  return config.stage.files.find((file) => file.dst === dst);
}
