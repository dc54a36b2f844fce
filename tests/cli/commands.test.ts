/** How command lines are read, and what the commands print and end with. */
import * as Effect from "effect/Effect";
import * as fc from "fast-check";
import t from "tap";
import { spawnSync } from "node:child_process";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command, Parameter } from "#lib/cli/command.ts";
import { commands } from "#lib/cli/commands/index.ts";
import { readExplaining } from "#lib/cli/explaining-reader.ts";
import { type Invocation, readPlainly } from "#lib/cli/plain-reader.ts";
import { helios as heliosAlone, root, SharedProcess } from "./rig.ts";

const program = { version: "1", description: "A program for tests", commands };

/** What effect/cli would run; undefined where it has something to say instead. */
async function explained(args: readonly string[]): Promise<Invocation | undefined> {
  let invocation: Invocation | undefined;
  const { write } = process.stdout;
  const { write: writeError } = process.stderr;
  process.stdout.write = process.stderr.write = () => true; // Help is not a line of this test's report.
  try {
    await Effect.runPromise(
      Effect.ignore(readExplaining(program, args, (read) => Effect.sync(() => void (invocation = read)))),
    );
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
  return invocation;
}

const leaves: readonly (readonly [words: readonly string[], command: Command])[] = commands.flatMap(
  (command): (readonly [readonly string[], Command])[] =>
    "commands" in command
      ? command.commands.map((leaf) => [[command.name, leaf.name], leaf])
      : [[[command.name], command]],
);

/** Words that are read in one way only, and some that may not be. */
const word = fc.oneof(
  fc.constantFrom(
    ".#helios-cm5",
    "./result",
    "a b",
    "käse",
    "4",
    "0",
    "-1",
    "1.5",
    "true",
    "no",
    "",
    "--",
    "-",
    "auto",
  ),
  fc.string({ maxLength: 6 }),
);

const occurrence = (parameter: Parameter): fc.Arbitrary<string[]> => {
  if (parameter.kind === "argument") return word.map((text) => [text]);
  const names = [`--${parameter.name}`, ...("alias" in parameter ? [`-${parameter.alias}`] : [])];
  const name = fc.constantFrom(...names);
  if (parameter.kind === "switch")
    return fc.oneof(
      name.map((text) => [text]),
      fc.constant<string[]>([`--no-${parameter.name}`]),
    );
  return fc
    .tuple(name, word, fc.constantFrom("apart", "joined"))
    .map(([flag, text, form]) => (form === "joined" ? [`${flag}=${text}`] : [flag, text]));
};

const commandLine = fc.constantFrom(...leaves).chain(([words, command]) => {
  const parts = Object.values(command.parameters).map(occurrence);
  return fc
    .array(
      fc.oneof(
        ...parts,
        word.map((text) => [text]),
      ),
      { maxLength: 5 },
    )
    .map((all) => [...words, ...all.flat()]);
});

t.test("command lines", async (t) => {
  t.test("what is read plainly is read by effect/cli alike", async (t) => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(commandLine, async (args) => {
        const read = readPlainly(commands, args);
        if (read === undefined) return;
        plain++;
        const other = await explained(args);
        if (other?.command !== read.command) throw new Error(`effect/cli does not run ${JSON.stringify(args)}`);
        const [one, two] = [read, other].map(({ input }) => JSON.stringify(input, Object.keys(input).sort()));
        if (one !== two) throw new Error(`${JSON.stringify(args)}: ${one} is ${two} to effect/cli`);
      }),
      { numRuns: 2000 },
    );
    t.ok(plain > 200, `${plain} of 2000 command lines were plain`);
  });

  t.test("everyday command lines are read plainly", async (t) => {
    for (const line of [
      "build .#helios-cm5",
      "build",
      "build -j2 -k --keep-failed .#a .#b -o out",
      "check --json --progress=quiet",
      "store gc --dry-run --older-than 30d",
      "build --set a=1 --set b=x=y --max-memory 4G --timeout 0",
      "path-info -rS ./result",
      "derivation show -r .#helios-engine",
      "replay file --speed 0",
      "build -j 1",
    ]) {
      t.ok(readPlainly(commands, line.split(" ")), line);
    }
    const read = readPlainly(commands, ["build", "-j", "2", ".#a"]);
    t.match(read?.input, { jobs: 2, installables: [".#a"], outLink: "result", keepGoing: false, progress: "auto" });
  });

  t.test("what needs an explanation is left to effect/cli", async (t) => {
    for (const line of [
      "",
      "bild",
      "store",
      "build --help",
      "build --jbos 2",
      "build -j 0",
      "eval",
      "eval a b",
      "build --set debug",
      "log --file=x a",
      "build --json --json",
      "build --json true",
    ]) {
      t.equal(readPlainly(commands, line.split(" ")), undefined, line);
    }
  });

  t.test("flags of one command have names and aliases of their own", async (t) => {
    for (const [words, command] of leaves) {
      const flags = Object.values(command.parameters).flatMap((parameter) =>
        parameter.kind === "argument" ? [] : [parameter.name, ...("alias" in parameter ? [parameter.alias] : [])],
      );
      t.equal(new Set(flags).size, flags.length, words.join(" "));
    }
  });
});

const { helios } = new SharedProcess(t);

/** A flake with the real option modules, and packages that are never built. */
const flakeText = (profile: string) => `
import { main } from "#lib/cli/main.ts";
import { defineModule } from "#lib/evaluator/index.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import minimal from "#profiles/minimal.ts";

const flake = defineFlake({
  description: "A flake for tests",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: (context) => {
    const pkgs = makePackages(context);
    const systems = { bench: evalSystem({ ...context, pkgs, modules: [minimal, defineModule({ config: ${profile} as {} })] }) };
    return { systems, packages: { get bench() { return systems.bench.config.system.build.result; } }, checks: {} };
  },
});
export default flake;
await main(flake, import.meta.url);
`;

t.test("a flake that evaluates", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText(`{ networking: { hostName: "bench" } }`) });
  const run = (...args: string[]) => helios(args, { flake: join(directory, "flake.ts"), cwd: directory });

  t.test("show lists the outputs", async (t) => {
    const shown = await run("show", "--json");
    t.equal(shown.code, 0, shown.stderr);
    t.strictSame(JSON.parse(shown.stdout), {
      description: "A flake for tests",
      packages: ["bench"],
      systems: ["bench"],
      checks: [],
    });
  });

  t.test("eval prints values, as JSON or raw", async (t) => {
    const text = await run("eval", ".#systems.bench.config.networking.hostName");
    t.strictSame([text.code, text.stdout], [0, '"bench"\n'], text.stderr);
    const raw = await run("eval", "--raw", ".#systems.bench.config.networking.hostName");
    t.equal(raw.stdout, "bench");
  });

  t.test("eval names systems and options by their kind, since all that they lead to has no end", async (t) => {
    const whole = await run("eval", ".#systems");
    t.match(JSON.parse(whole.stdout), { bench: "<system>" }, whole.stderr);
    const option = await run("eval", ".#systems.bench.options.networking");
    t.match(JSON.parse(option.stdout), { hostName: "<option networking.hostName>" }, option.stderr);
  });

  t.test("a part of a system is no system, and a directory is no recording", async (t) => {
    const part = await run("resolve", ".#bench.config");
    t.equal(part.code, 2);
    t.match(part.stderr, "'bench.config' is a part of a system, not a system.");
    const recording = await run("replay", directory);
    t.equal(recording.code, 6);
    t.match(recording.stderr, "it is a directory, not a file.");
  });

  t.test("an unknown attribute is a usage error with a suggestion, and nothing goes to stdout", async (t) => {
    const result = await heliosAlone(["build", ".#benhc"], { flake: join(directory, "flake.ts"), cwd: directory });
    t.strictSame([result.code, result.stdout], [2, ""]);
    t.match(result.stderr, "no attribute 'benhc'. Did you mean 'bench'?");
  });

  t.test("an unknown command and an unknown flag are usage errors", async (t) => {
    const command = await run("bild");
    t.strictSame([command.code, command.stdout], [2, ""]);
    t.match(command.stderr, /^error: .*"bild"[^]*Did you mean[^]*build\nSee 'npx tsx flake\.ts --help'\.\n$/);
    const flag = await run("store", "gc", "--dry-rnu");
    t.strictSame([flag.code, flag.stdout], [2, ""]);
    t.match(flag.stderr, /^error: .*--dry-rnu[^]*--dry-run\nSee 'npx tsx flake\.ts store gc --help'\.\n$/);
  });

  t.test("--locked refuses what is not pinned, and says what to run", async (t) => {
    const result = await run("build", "--locked", ".#bench");
    t.equal(result.code, 4, result.stderr);
    t.match(result.stderr, /flake\.lock is out of date: .*without --locked, or 'update'/);
  });
});

t.test("a flake whose system has inputs, warnings and a failed assertion", async (t) => {
  const profile = `{
    inputs: { options: {
      channel: { choices: ["stable", "edge"], default: "stable", env: "BENCH_CHANNEL" },
      count: { type: "int", required: true },
    } },
    workspace: { clean: "all" },
    networking: { hostName: (config) => "bench-" + config.inputs.resolved.channel },
    assertions: [(config) => ({ assertion: config.inputs.resolved.channel !== "edge", message: "edge is not for you" })],
  }`;
  const directory = t.testdir({ "flake.ts": flakeText(profile) });
  const run = (args: readonly string[], env = {}) =>
    helios(args, { flake: join(directory, "flake.ts"), cwd: directory, env });
  const resolve = (args: readonly string[], env = {}) => run(["resolve", ".#bench", "--format", "json", ...args], env);
  const hostName = ({ stdout }: { readonly stdout: string }): unknown =>
    (JSON.parse(stdout) as { readonly networking: { readonly hostName: string } }).networking.hostName;

  t.test("resolve says what the command line and the environment make of it, the same each time", async (t) => {
    const plain = await resolve(["--set", "count=1"]);
    t.strictSame([plain.code, hostName(plain)], [0, "bench-stable"], plain.stderr);
    t.match(plain.stderr, /warning: bench: workspace\.clean = "all" has no effect/);
    const again = await resolve(["--set=count=1"], { BENCH_CHANNEL: "stable" });
    t.equal(again.stdout, plain.stdout);
    t.notMatch(plain.stdout, directory);
    const toml = await run(["resolve", ".#bench", "--set", "count=1"]);
    t.match(toml.stdout, '[inputs.values]\nchannel = "stable"\ncount = 1\n');
    t.match(toml.stdout, '[networking]\nhostName = "bench-stable"\n');
  });

  t.test("resolve shows what fails its assertions, and fails", async (t) => {
    const edge = await resolve(["--set", "count=1"], { BENCH_CHANNEL: "edge" });
    t.strictSame([edge.code, hostName(edge)], [3, "bench-edge"]);
    t.match(edge.stderr, /edge is not for you/);
    const missing = await resolve([]);
    t.equal(missing.code, 3);
    t.match(missing.stderr, /inputs\.options\.count: is required, and nothing gives it a value\. Use --set count=…/);
  });

  t.test("a wrong --set is a usage error of every command that evaluates", async (t) => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["plan", "chanel=edge", /there is no input 'chanel'\. Did you mean 'channel'\?/],
      ["build", "channel=egde", /"egde" from --set is none of its choices: "stable", "edge"/],
      ["eval", "count=1.5", /inputs\.options\.count: "1\.5" from --set is no int/],
    ];
    for (const [command, text, message] of cases) {
      const result = await run([command, ".#bench", "--set", "count=1", "--set", text]);
      t.strictSame([result.code, result.stdout], [2, ""], `${command} ${text}`);
      t.match(result.stderr, message);
    }
    const form = await run(["plan", ".#bench", "--set", "count"]);
    t.equal(form.code, 2);
    t.match(form.stderr, /NAME=VALUE/);
  });

  t.test("what is no system cannot be resolved; --dot and --json cannot be both", async (t) => {
    const result = await run(["resolve", ".#systems.bench.config", "--set", "count=1"]);
    t.equal(result.code, 2);
    t.match(result.stderr, /not a system/);
    const both = await run(["plan", ".#bench", "--dot", "--json"]);
    t.equal(both.code, 2);
    t.match(both.stderr, /--dot and --json exclude each other/);
  });
});

t.test("a misspelt option is an evaluation error with file, line and suggestion", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText(`{ networking: { hostname: "bench" } }`) });
  const result = await heliosAlone(["eval", ".#systems.bench.config.networking.hostName"], {
    flake: join(directory, "flake.ts"),
  });
  t.equal(result.code, 3, result.stderr);
  t.match(result.stderr, /networking\.hostname[^]*flake\.ts:14[^]*hostName/);
});

t.test("a damaged lock file is an error with its place", async (t) => {
  const directory = t.testdir({
    "flake.ts": flakeText("{}"),
    "flake.lock": '{\n  "version": 1,\n  "environments": [\n',
  });
  const result = await helios(["build", ".#bench"], { flake: join(directory, "flake.ts") });
  t.equal(result.code, 4, result.stderr);
  t.match(result.stderr, /flake\.lock:\d+:\d+: /);
});

t.test("a store that cannot be written is an error of its own class", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText("{}"), occupied: "a file" });
  const result = await heliosAlone(["build", ".#bench"], {
    flake: join(directory, "flake.ts"),
    env: { HELIOS_STORE: join(directory, "occupied/store") },
  });
  t.equal(result.code, 6, result.stderr);
  t.match(result.stderr, /occupied/);
  const nowhere = await helios(["build", ".#bench"], {
    flake: join(directory, "flake.ts"),
    env: { HELIOS_STORE: "/proc/nowhere/store" },
  });
  t.equal(nowhere.code, 6, nowhere.stderr);
  t.match(nowhere.stderr, "/proc/nowhere");
});

t.test("what nobody expected is told as a defect of this program, also before the engine is loaded", async (t) => {
  const directory = t.testdir({
    "homeless.mjs": `
      import os from "node:os";
      import { syncBuiltinESMExports } from "node:module";
      for (const name of ["HOME", "XDG_DATA_HOME", "HELIOS_STORE"]) delete process.env[name];
      os.userInfo = () => { throw new Error("nobody lives here"); };
      syncBuiltinESMExports();
    `,
  });
  const env = { NODE_OPTIONS: `--import=${join(directory, "homeless.mjs")}` };
  const ended = await heliosAlone(["build", ".#helios-cm5", "--no-link"], { env });
  t.equal(ended.code, 70);
  t.match(ended.stderr, /^This is a defect of this program; please report it:\n.*nobody lives here/);
});

t.test("--help explains each command", async (t) => {
  const result = await helios(["build", "--help"]);
  t.equal(result.code, 0, result.stderr);
  for (const flag of ["--out-link", "--jobs", "--keep-going", "--locked", "--progress"]) t.match(result.stdout, flag);
});

t.test("a configuration file in the place of an installable", async (t) => {
  const lab = join(root, "tests/fixtures/gaia/configs/builds/HeliOS-lab.toml");
  const directory = t.testdir({
    "build.toml": '[build]\nversion = "v1"\n[stage]\nenabeld = true\n',
    "broken.toml": "a = [1,\n",
    "files.toml": '[[stage.files]]\ncontent = "a"\ndst = "/etc/a"\n[[stage.files]]\ncontent = "b"\ndst = "/etc/b"\n',
    "flake.ts": flakeText("{}"),
  });
  const run = (...args: string[]) => helios(args, { cwd: directory });

  t.test("its values print, its warnings go to stderr, and inputs can be set", async (t) => {
    const name = await run("eval", "--locked", "--raw", `${lab}#config.networking.hostName`);
    t.strictSame([name.code, name.stdout], [0, "helios"], name.stderr);
    t.match(name.stderr, /platforms\/pi\/base\.toml:12:1: program\.profiles\.aarch64-linux\.container_image/);
    const set = await run(
      "eval",
      "--locked",
      "--raw",
      "--set",
      "channel=stable",
      `${lab}#config.inputs.resolved.channel`,
    );
    t.strictSame([set.code, set.stdout], [0, "stable"], set.stderr);
    const unknown = await run("eval", "--locked", "--set", "chanel=stable", `${lab}#config.inputs.resolved`);
    t.equal(unknown.code, 2, unknown.stderr);
    t.match(unknown.stderr, "there is no input 'chanel'. Did you mean 'channel'?");
  });

  t.test("options are explained with the file that defines them", async (t) => {
    const explained = await run("option", "buildroot.rpi.board", "--system", lab);
    t.equal(explained.code, 0, explained.stderr);
    t.match(explained.stdout, /wins +\S*platforms\/pi\/cm5\.toml:7:1, priority 100: "cm5"/);
    const entry = await run("option", "stage.files.1.dst", "--system", "files.toml");
    t.match(entry.stdout, /wins +files\.toml:6:1, priority 100: "\/etc\/b"/, entry.stderr);
  });

  t.test("what is wrong with it is an evaluation error with its place, and with --legacy a warning", async (t) => {
    const strict = await run("eval", "--locked", "build.toml#config.build.version");
    t.strictSame([strict.code, strict.stdout], [3, ""]);
    t.match(strict.stderr, /build\.toml:4:1: `stage\.enabeld`: there is no such option\.\n +Did you mean/);
    const legacy = await run("eval", "--locked", "--legacy", "build.toml#config.build.version");
    t.strictSame([legacy.code, legacy.stdout], [0, '"v1"\n'], legacy.stderr);
    t.match(legacy.stderr, /^warning: build\.toml:4:1: stage\.enabeld: there is no such option; it is ignored\./m);
    const broken = await run("eval", "--locked", "broken.toml");
    t.equal(broken.code, 3, broken.stderr);
    t.match(broken.stderr, /broken\.toml:\d+:\d+: /);
  });

  t.test("a file or an attribute that is not there is a usage error, as is a flake that takes no files", async (t) => {
    const missing = await run("build", "configs/no.toml");
    t.strictSame([missing.code, missing.stdout], [2, ""]);
    t.match(missing.stderr, `there is no file ${join(directory, "configs/no.toml")}`);
    const attribute = await run("eval", "--locked", `${lab}#confg`);
    t.equal(attribute.code, 2, attribute.stderr);
    t.match(attribute.stderr, "no attribute 'confg'. Did you mean 'config'?");
    const without = await helios(["eval", "build.toml"], { flake: join(directory, "flake.ts"), cwd: directory });
    t.equal(without.code, 2, without.stderr);
    t.match(without.stderr, "this flake makes no systems from configuration files");
  });
});

t.test("check reports everything that is wrong with a configuration, also in options that nothing reads", async (t) => {
  const directory = t.testdir({
    "flake.ts": `
import { main } from "#lib/cli/main.ts";
import { defineModule } from "#lib/evaluator/index.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "${root}/systems/helios-cm5.ts";

const wrong = { config: { locale: { timeZone: "Not a zone" }, boot: { kernelParams: ["two words"] } } } as never;
const flake = defineFlake({
  description: "Wrong twice",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: ({ lock }) => ({
    packages: {},
    checks: {},
    systems: { bench: evalSystem({ pkgs: makePackages({ lock }), modules: [heliosCm5, defineModule(wrong)] }) },
  }),
});
export default flake;
await main(flake, import.meta.url);
`,
  });
  await copyFile(join(root, "flake.lock"), join(directory, "flake.lock"));
  const result = await heliosAlone(["check", "--locked"], {
    flake: join(directory, "flake.ts"),
    cwd: directory,
    env: { HELIOS_STORE: join(directory, "store") },
  });
  t.equal(result.code, 3, result.stderr);
  t.match(result.stderr, /locale\.timeZone/);
  t.match(result.stderr, /boot\.kernelParams/);
});

t.test("output that a full disk does not take is an error, and what nobody reads any more is none", async (t) => {
  const show = (then: string) => {
    const script = `"$1" --import=tsx "$2" show ${then}`;
    const shell = spawnSync(
      "bash",
      ["-o", "pipefail", "-c", script, "bash", process.execPath, join(root, "flake.ts")],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    return [shell.status, shell.stderr] as const;
  };
  const [code, stderr] = show("> /dev/full");
  t.equal(code, 6, stderr);
  t.match(stderr, /^error: the output cannot be written: ENOSPC: .*\.\n$/);
  t.strictSame(show("| true"), [0, ""]);
});

t.test("check refuses a name that is no name of a directory, and deletes no logs of others", async (t) => {
  for (const name of ["..", "", "a/b"]) {
    const directory = t.testdir({
      "flake.ts": `
import { main } from "#lib/cli/main.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";

const flake = defineFlake({
  description: "A check",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: () => ({ packages: {}, systems: {}, checks: { ${JSON.stringify(name)}: { derivations: [] } as never } }),
});
export default flake;
await main(flake, import.meta.url);
`,
      store: { var: { helios: { logs: { "other.log": "of another build" } } } },
    });
    const result = await heliosAlone(["check"], {
      flake: join(directory, "flake.ts"),
      cwd: directory,
      env: { HELIOS_STORE: join(directory, "store") },
    });
    t.equal(result.code, 3, result.stderr);
    t.match(result.stderr, `the check '${name}' `);
    t.match(result.stderr, "Rename it.");
    const log = join(directory, "store/var/helios/logs/other.log");
    t.equal(await readFile(log, "utf8"), "of another build");
  }
});

t.test("option explains an option: meaning, value, and every definition with its place", async (t) => {
  const result = await helios(["option", "build.name", "--json"]);
  t.equal(result.code, 0, result.stderr);
  const explained = JSON.parse(result.stdout) as {
    readonly value: string;
    readonly definitions: readonly { readonly status: string; readonly place: string; readonly priority: number }[];
  };
  t.equal(explained.value, '"helios-cm5"');
  const from = (file: string) => explained.definitions.filter(({ place }) => place.startsWith(`${file}:`));
  t.match(from("systems/helios-cm5.ts"), [{ status: "wins", priority: 100 }]);
  t.match(from("profiles/minimal.ts"), [{ status: "loses", priority: 1400 }]);
  t.match(from("modules/build.ts"), [{ status: "loses", priority: 1500 }]);
});

t.test("option lists a group, and suggests a name for one that does not exist", async (t) => {
  const group = await helios(["option", "image.root"]);
  t.strictSame(group.stdout.trim().split("\n"), ["filesystem", "freeMiB", "label", "sizeMiB"], group.stderr);
  const misspelt = await helios(["option", "image.rot"]);
  t.equal(misspelt.code, 2);
  t.match(misspelt.stderr, "image has no option 'rot'. Did you mean 'root'?");
});

t.test("option goes into records, lists and submodules", async (t) => {
  const explain = async (name: string): Promise<Readonly<Record<string, unknown>>> => {
    const { code, stdout, stderr } = await helios(["option", name, "--json"]);
    t.equal(code, 0, stderr);
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  };
  t.test("by the name of an element, with its value and who set it", async (t) => {
    t.match(await explain("users.users.helios.extraGroups"), {
      name: "users.users.helios.extraGroups",
      description: "Further groups.",
      value: '["helios-ipc","systemd-journal"]',
      declarations: [/^modules\/users\.ts:\d+/],
      definitions: [{ status: "loses" }, { status: "wins", place: /^profiles\/helios\/ssh\.ts:\d+/, priority: 100 }],
    });
    t.match(await explain('services.units."helios-api.service".service.ExecStart'), {
      value: '"/usr/bin/helios-api"',
      definitions: [{ status: "loses" }, { status: "wins", place: /^profiles\/helios\/api\.ts:\d+/ }],
    });
    t.match(await explain("stage.files.0.dst"), {
      name: "stage.files.0.dst",
      value: /^"\//,
      definitions: [{ status: "wins", place: /^profiles\// }],
    });
    t.match(await explain("users.users.helios.extraGroups.1"), {
      description: "Part of users.users.helios.extraGroups: Further groups.",
      value: '"systemd-journal"',
      definitions: [{ status: "wins", place: /^profiles\/helios\/ssh\.ts:\d+/ }],
    });
  });
  t.test("by the name that the reference has, without a value", async (t) => {
    for (const name of ["users.users.*.extraGroups", "users.users.<name>.extraGroups"]) {
      const explained = await explain(name);
      t.match(explained, { name: "users.users.<name>.extraGroups", type: /^list of/, default: "[]", definitions: [] });
      t.notOk(Object.hasOwn(explained, "value"));
    }
    t.match(await explain("services.units.*.service.ExecStart"), { default: "null", type: /^null or/ });
    t.match(await explain("stage.files.*"), ["content", "dst"]);
  });
  t.test("and says what is not there in words of the configuration, with a suggestion at each level", async (t) => {
    const answers: Readonly<Record<string, string>> = {
      "networking.hostName.x": "networking.hostName has no options below it.",
      networkin: "there is no option 'networkin'. Did you mean 'networking'?",
      "users.users.heliso.uid": "users.users has no 'heliso'. Did you mean 'helios'?",
      "users.users.helios.extraGrops": "users.users.helios has no option 'extraGrops'. Did you mean 'extraGroups'?",
      "users.users.*.extraGrops": "users.users.<name> has no option 'extraGrops'. Did you mean 'extraGroups'?",
      "services.units.helios-api.service": "Did you mean '\"helios-api.service\"'",
      "stage.files.x": "numbered from 0; it has no 'x'. 'stage.files.*' stands for every one.",
      "stage.files.1000.dst": "it has no '1000'.",
    };
    for (const [name, answer] of Object.entries(answers)) {
      const { code, stderr } = await helios(["option", name]);
      t.equal(code, 2, name);
      t.match(stderr, answer, name);
      t.notMatch(stderr, "definitionsWithLocations", name);
    }
  });
});

t.test("options prints the reference of every option, as a page, as data and as a schema", async (t) => {
  const page = await helios(["options", "--format", "html"]);
  const data = await helios(["options", "--format", "json"]);
  const schema = await helios(["options", "--format", "schema"]);
  t.match(page.stdout, /^<!doctype html>[\s\S]*id="opt-networking\.hostName"/iu, page.stderr);
  t.match(JSON.parse(data.stdout), { "networking.hostName": { declarations: [/^modules\//u] } });
  t.match(JSON.parse(schema.stdout), {
    $schema: "http://json-schema.org/draft-07/schema#",
    properties: { networking: { properties: { hostName: { type: "string" } } } },
  });
  const unknown = await helios(["options", "--system", "nowhere"]);
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, "nowhere");
  const close = await helios(["options", "--system", "helios-cm6"]);
  t.match(close.stderr, "Did you mean 'helios-cm5'?");
});

t.test("lint tells what depends on the order of imports, with places; --strict makes it a failure", async (t) => {
  const two = `...["first", "second"].map((word) => defineModule({ config: { boot: { kernelParams: [word] } } }))`;
  const directory = t.testdir({ "flake.ts": flakeText("{}").replace("modules: [", () => `modules: [${two}, `) });
  const lint = (...args: string[]) =>
    helios(["lint", "--system", "bench", ...args], { flake: join(directory, "flake.ts") });
  const found = await lint("--json");
  t.equal(found.code, 0, found.stderr);
  t.match(
    (JSON.parse(found.stdout) as { readonly option: string }[]).find(({ option }) => option === "boot.kernelParams"),
    {
      rule: "order-dependent",
      message: /first[^]*second/,
      places: [/minimal\.ts:\d+/, /flake\.ts:14/, /flake\.ts:14/],
    },
  );
  const strict = await helios(["lint", "--system", ".#bench", "--strict"], { flake: join(directory, "flake.ts") });
  t.equal(strict.code, 1, strict.stdout);
  t.match(strict.stdout, /boot\.kernelParams: .*\[order-dependent\]/);
  const ours = await helios(["lint", "--strict"]);
  t.strictSame([ours.code, ours.stdout], [0, ""], ours.stderr);
});
