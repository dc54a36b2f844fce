import * as Effect from "effect/Effect";
import { execFile, spawn } from "node:child_process";
import * as nodeFs from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { build } from "#lib/build/build.ts";
import type { BuilderFailed, BuildsFailed } from "#lib/build/errors.ts";
import type { BuildOptions } from "#lib/build/options.ts";
import { derivation, type Derivation, type DerivationAttributes } from "#lib/derivations/derivation.ts";
import { sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import { textFile } from "#lib/derivations/text-file.ts";
import { Store } from "#lib/store/store.ts";
import { type Harness, makeHarness, testDerivation } from "./harness.ts";
import { asOrdinaryUser, notRoot, processesWith } from "./host.ts";
import { makeToolRoot } from "./tool-root.ts";

const run = promisify(execFile);
const notRootMessage = process.getuid?.() !== 0 && "only root may mount a small disk";
const tools = await makeToolRoot();
const directory = await mkdtemp(join(tmpdir(), "helios-build-"));
const root = join(directory, "store");
t.teardown(async () => {
  await tools.remove();
  // Store paths are read-only, which stops an ordinary user's rm.
  await run("chmod", ["-R", "u+w", directory]);
  await rm(directory, { recursive: true, force: true });
});

const environment = source({ path: tools.path, name: "tools" });

const script = (name: string, text: string, rest: Partial<DerivationAttributes> = {}): Derivation =>
  derivation({ name, builder: "/bin/bash", args: ["-euc", text], ...rest, env: { environment, ...rest.env } });

const harness = (): Harness => makeHarness({ fs: nodeFs, root });

/** Builds and gives the physical paths of the outputs. */
async function outputs(of: Derivation, options: BuildOptions = {}): Promise<Record<string, string>> {
  const result = await harness().run(build([of], options));
  return Object.fromEntries([...(result.outputs.get(of) ?? [])].map(([name, path]) => [name, root + path]));
}

const output = async (of: Derivation): Promise<string> => (await outputs(of))["out"]!;

async function failureOf(of: Derivation, options: BuildOptions = {}): Promise<BuilderFailed> {
  const failed = await harness().run(Effect.flip(build([of], options)));
  const failure = (failed as BuildsFailed).failures[0]!.error;
  return failure as BuilderFailed;
}

t.test("a program in the sandbox", (t) => {
  t.test("makes an output from sources, texts and other outputs", async (t) => {
    await writeFile(join(directory, "source.txt"), "source\n");
    const input = source({ path: join(directory, "source.txt") });
    const first = script("first", `cat ${input} ${textFile("text", "text\n")} > $out`);
    const second = script(
      "second",
      `mkdir $out; cp ${first} $out/copy; ln -s ${first} $out/link; echo run > $out/run; chmod +x $out/run`,
    );
    const path = await output(second);
    t.equal(await readFile(join(path, "copy"), "utf8"), "source\ntext\n");
    const info = await harness().run(
      Effect.flatMap(Store, (store) => store.pathInfo(path.slice(root.length) as never)),
    );
    t.same(info?.references, [await readlink(join(path, "link"))], "what it mentions is known as its references");
    t.match(info?.deriver, /-second\.drv$/);
  });

  t.test("leaves canonical files: no write permission, no setuid, one time stamp", async (t) => {
    const path = await output(
      script("modes", "mkdir $out; echo > $out/a; chmod 4755 $out/a; echo > $out/b; chmod 666 $out/b; chmod 777 $out"),
    );
    const modes = await Promise.all(["", "a", "b"].map((name) => stat(join(path, name))));
    t.same(
      modes.map(({ mode }) => (mode & 0o7777).toString(8)),
      ["555", "555", "444"],
    );
    t.same(
      modes.map(({ mtimeMs }) => mtimeMs),
      [1000, 1000, 1000],
    );
  });

  t.test("makes the same path whenever and wherever it is built", async (t) => {
    const text =
      "mkdir $out; env | sort | grep -v -e ^_= -e ^out= -e ^NIX_BUILD_CORES= > $out/env; id > $out/id; uname -n > $out/host; date +%Z > $out/zone";
    const first = await output(script("same", text));
    const other = makeHarness({ fs: nodeFs, root: join(directory, "other") });
    // The number of cores is the one thing that a builder is told and that may differ.
    const again = script("same", text);
    const result = await other.run(build([again], { cores: 1 }));
    t.equal(root + result.outputs.get(again)!.get("out")!, first);
  });

  t.test("cannot use the network", async (t) => {
    const failure = await failureOf(script("network", "exec 3<>/dev/tcp/192.0.2.1/80"));
    t.match(failure.message, /Network is unreachable/);
    t.equal(failure.hints[0]!.id, "network");
    const fixed = { mode: "flat", hash: sha256("x") } as const;
    const fetch = await failureOf(
      script("network-fixed", "exec 3<>/dev/tcp/192.0.2.1/80; echo > $out", { fixedOutput: fixed }),
    );
    t.match(fetch.message, /Network is unreachable/, "not even for a fixed output");
  });

  t.test("sees its inputs and nothing else of the store", async (t) => {
    const hidden = script("hidden", "echo > $out");
    await output(hidden);
    const path = await output(script("sees", "cd /nix/store; echo * > $out"));
    const seen = (await readFile(path, "utf8")).trim().split(" ");
    t.same(
      seen.map((name) => name.slice(33)),
      ["tools"],
    );
  });

  t.test("may leave directories that are not writable", async (t) => {
    const tree = script("tree", "mkdir -p $out/a/b; echo > $out/a/b/c");
    const path = await output(script("copy", `cp -r ${tree} $out; cp -r ${tree} here; cp -r ${tree} /tmp/there`));
    t.same(await readdir(join(path, "a/b")), ["c"]);
    t.same(await temporaryFiles(), []);
  });

  t.test("cannot look at this machine through an input that is a link", async (t) => {
    const link = script("link", `ln -s ${directory} $out`);
    const path = await output(
      script("through", `ls ${link}/ > /dev/null 2>&1 && echo seen > $out || readlink ${link} > $out`),
    );
    t.equal(await readFile(path, "utf8"), `${directory}\n`);
  });

  t.test("cannot give a link to a builtin builder, which would follow it on this machine", async (t) => {
    const link = script("link-to-secret", "ln -s /etc/shadow $out");
    t.match((await failureOf(testDerivation("x", [link]))).message, /its input \S+-link-to-secret is a symbolic link/);
  });

  t.test("cannot have this machine's root as its environment", async (t) => {
    const host = script("host", "ln -s / $out");
    const failure = await failureOf(derivation({ name: "escape", builder: "/bin/bash", env: { environment: host } }));
    t.match(failure.message, /its environment \S+-host is not a directory/);
  });

  t.test("cannot leave its directory by the name of a variable", async (t) => {
    const path = script("path", "echo > $out", { env: { "../../x": "y", passAsFile: "../../x" } });
    t.match((await failureOf(path)).message, /variable "\.\.\/\.\.\/x" has .* '\/'/);
  });

  t.test("gives outputs that lead out of the store only as links, which are kept and not followed", async (t) => {
    const path = await output(
      script("links", "mkdir $out; ln -s /etc/shadow $out/absolute; ln -s ../../../../etc/shadow $out/up"),
    );
    t.equal(await readlink(join(path, "absolute")), "/etc/shadow");
    t.equal(await readlink(join(path, "up")), "../../../../etc/shadow");
  });

  t.end();
});

/** What is left in the store's directory for unfinished work, beside the names of running processes. */
async function temporaryFiles(of = root): Promise<string[]> {
  const entries = await readdir(join(of, "nix/var/helios/tmp"), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

t.test("several outputs", (t) => {
  t.test("may mention each other in one direction: in files and in links", async (t) => {
    const both = script(
      "both",
      'mkdir $out $lib; echo library > $lib/a; echo "$lib/a" > $out/file; ln -s $lib/a $out/link',
      {
        outputs: ["out", "lib"],
      },
    );
    const paths = await outputs(both);
    const library = paths["lib"]!.slice(root.length);
    t.equal(await readFile(join(paths["out"]!, "file"), "utf8"), `${library}/a\n`);
    t.equal(await readlink(join(paths["out"]!, "link")), `${library}/a`);
    t.match(library, /-both-lib$/);
    const info = await harness().run(
      Effect.flatMap(Store, (store) => store.pathInfo(paths["out"]!.slice(root.length) as never)),
    );
    t.same(info?.references, [library]);
  });

  t.test("may not mention each other in a circle", async (t) => {
    const circle = script("circle", "echo $lib > $out; echo $out > $lib", { outputs: ["out", "lib"] });
    t.match((await failureOf(circle)).message, /the outputs lib, out mention each other in a circle/);
  });

  t.test("may not mention themselves", async (t) => {
    const own = script("own", "mkdir -p $out/bin; echo $out/lib > $out/bin/x");
    t.match((await failureOf(own)).message, /'own' mentions its own store path in 'bin\/x'/);
  });

  t.test("must all be made", async (t) => {
    const failure = await failureOf(script("half", "echo > $out", { outputs: ["out", "lib", "doc"] }));
    t.match(failure.message, /its builder ended well but did not make '\$lib', '\$doc'/);
  });

  t.end();
});

t.test("when a build fails", (t) => {
  t.test("the error has the phase, the last lines, a hint, the log and the command to replay", async (t) => {
    const text = `
      echo '@nix {"action":"setPhase","phase":"configure"}'
      for i in 1 2 3 4 5 6 7 8; do echo line $i; done
      echo "checking for zlib... Package 'zlib' was not found in the pkg-config search path" >&2
      exit 7`;
    const replayCommand = (path: string) => `build ${path}`;
    const failure = await failureOf(script("broken", text), { logLines: 3, replayCommand });
    t.equal(failure._tag, "BuilderFailed");
    t.same(failure.end, { kind: "exit", code: 7 });
    t.equal(failure.phase, "configure");
    t.same(failure.lastLines.slice(0, 2), ["line 7", "line 8"]);
    t.same(
      failure.hints.map(({ id }) => id),
      ["pkg-config"],
    );
    t.equal(failure.replay, `build ${failure.derivation}`);
    t.match(await readFile(failure.log, "utf8"), /line 1\n.*line 8\n/s);
    t.match(
      failure.message,
      /^'broken' failed: its builder ended with exit code 7 in phase 'configure'\.\nLast lines of its log:\n {2}> line 7\n.*Hint: A library .* is missing.*Whole log: \S+\nRun it again with: build \/nix\/store\/\S+-broken\.drv$/s,
    );
  });

  t.test("the error has no colours, no commands to a terminal, and no line without end", async (t) => {
    const text = `
      echo '@nix {"action":"setPhase","phase":"\\u001b[2Jbuild"}'
      printf '\\033[2J\\033[01;31m\\033[Kfatal error: \\033[m\\033[Kzlib.h: No such file or directory\\n'
      printf '10 %%\\r20 %%\\r\\n'
      head -c 5000 /dev/zero | sed 's/./x/g'
      exit 1`;
    const failure = await failureOf(script("colourful", text));
    t.match(failure.message, /in phase 'build'\./);
    t.match(failure.message, / {2}> fatal error: zlib\.h: No such file or directory\n {2}> 20 %\n/);
    t.match(failure.message, /\n {2}> x{400}… \(4600 more characters\)\n/);
    t.notMatch(failure.message, /\p{Cc}(?<!\n)/u);
    t.same(
      failure.hints.map(({ id }) => id),
      ["header"],
    );
    t.match(await readFile(failure.log, "utf8"), /\p{Cc}\[2J[^]*x{5000}/u, "the log is as it was written");
  });

  t.test("nothing is left, and the same derivation is built again", async (t) => {
    const paths = await readdir(join(root, "nix/store"));
    const half = () => script("leaves", "mkdir $out; echo half > $out/half; echo junk > junk; exit 1");
    t.match((await failureOf(half())).message, /same command with --keep-failed/);
    t.same(await temporaryFiles(), []);
    t.same(
      (await readdir(join(root, "nix/store"))).filter((name) => !paths.includes(name) && !name.endsWith(".drv")),
      [],
    );
    await failureOf(half());
  });

  t.test("its directory can be kept, replayed and looked into", async (t) => {
    const failure = await failureOf(script("kept", "echo value > made; test -e fixed && echo works > $out"), {
      keepFailed: true,
    });
    t.equal(await readFile(join(failure.kept!, "build/made"), "utf8"), "value\n");
    t.equal((await stat(failure.kept!)).mode & 0o077, 0, "nobody else can enter: programs in it may be set-user-id");
    t.equal(failure.replay, `sh ${join(failure.kept!, "replay.sh")}`);
    const replay = await run("sh", [join(failure.kept!, "replay.sh")]).catch((cause: { code: number }) => cause);
    t.match(replay, { code: 1 });
    const shell = spawn("sh", [join(failure.kept!, "replay.sh"), "--shell"], { stdio: ["pipe", "pipe", "ignore"] });
    shell.stdin.end("cat made; id -u; echo $out\n");
    let said = "";
    for await (const chunk of shell.stdout) said += String(chunk);
    t.match(said, /value\n.*1000\n.*\/nix\/store\/.*-kept/s);
  });

  t.test("a builder that is not in the environment is named", async (t) => {
    const failure = await failureOf(derivation({ name: "typo", builder: "/bin/bsh", env: { environment } }));
    t.equal(failure.hints[0]!.id, "sandbox-program");
  });

  t.test("a derivation without an environment, and one for another machine, are refused", async (t) => {
    const without = await failureOf(derivation({ name: "without", builder: "/bin/bash" }));
    t.match(without.message, /its variable 'environment' does not name a tool root/);
    const foreign = await failureOf(script("foreign", "echo > $out", { system: "aarch64-linux" as never }));
    t.match(foreign.message, /it is for aarch64-linux and this machine is /);
  });

  t.test("a variable that is too long is named, with the way out", async (t) => {
    const failure = await failureOf(script("long", "echo > $out", { env: { long: "x".repeat(200_000) } }));
    t.match(failure.message, /variable 'long' is longer than the 128 KiB.*passAsFile/);
  });

  t.end();
});

t.test("a build that is cancelled leaves nothing, and the next run works", async (t) => {
  const stop = new AbortController();
  const slow = (seconds: number) =>
    script("slow", `mkdir $out; echo half > $out/half; test ${seconds} = 0 || sleep ${seconds}`);
  const { events, run } = harness();
  const cancelled = run(build([slow(1005.5)]), stop.signal);
  const waiting = setInterval(() => events.some(({ type }) => type === "build-started") && stop.abort(), 20);
  await t.rejects(cancelled);
  clearInterval(waiting);
  t.same(await temporaryFiles(), []);
  await output(slow(0));
});

/** How often a process is killed: a tenth of HELIOS_TEST_KILLS, because a build takes ten times as long as a store path. */
const kills = Math.ceil(Number(process.env["HELIOS_TEST_KILLS"] ?? 30) / 10);

t.test("processes that are killed while they build leave nothing running and nothing half-valid", async (t) => {
  const shared = join(directory, "killed");
  const start = (of: string) =>
    spawn(
      process.execPath,
      ["--import=tsx", join(import.meta.dirname, "build-child.ts"), of, tools.path, "sleep 0.1006", "8"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
  const lastLine = async (child: ReturnType<typeof start>): Promise<string> => {
    let said = "";
    for await (const chunk of child.stdout!) said += String(chunk);
    return said.trim().split("\n").at(-1)!;
  };
  for (let kill = 0; kill < kills; kill++) {
    const child = start(shared);
    const ended = new Promise((resolve) => child.once("close", resolve));
    await Promise.race([new Promise((resolve) => child.stdout!.once("data", resolve)), ended]);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
    child.kill("SIGKILL");
    await ended;
    // The sandbox dies with its parent; give the kernel a moment.
    for (let wait = 0; wait < 100 && (await processesWith("0.1006")).length > 0; wait++)
      await new Promise((r) => setTimeout(r, 20));
    t.same(await processesWith("0.1006"), []);
  }
  const [path, expected] = [await lastLine(start(shared)), await lastLine(start(join(directory, "undisturbed")))];
  t.equal(path.split(" ")[1], expected.split(" ")[1], "the next run gives what an undisturbed one gives");
  t.equal(await readFile(join(shared, path.split(" ")[1]!), "utf8"), "0\n1\n2\n3\n4\n5\n6\n7\n");
});

t.test("several processes build the same thing once", async (t) => {
  const children = [1, 2, 3].map(() =>
    run(process.execPath, ["--import=tsx", join(import.meta.dirname, "build-child.ts"), root, tools.path, "sleep 0.5"]),
  );
  const printed = await Promise.all(children);
  const finished = printed.map(({ stdout }) => stdout.trim().split("\n").at(-1)!);
  t.same(finished.map((line) => line.split(" ")[0]).sort(), ["built", "cut-off", "cut-off"]);
  t.equal(new Set(finished.map((line) => line.split(" ")[1])).size, 1, "and get the same path");
});

t.test(
  "on a full disk the build fails and says so, and works when there is room again",
  { skip: notRootMessage },
  async (t) => {
    const small = await mkdtemp(join(tmpdir(), "helios-small-"));
    await run("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", small]);
    t.teardown(async () => {
      await run("umount", [small]);
      await rm(small, { recursive: true });
    });
    const { run: runSmall } = makeHarness({ fs: nodeFs, root: join(small, "store") });
    const big = (size: string) => script("big", `mkdir $out; head -c ${size} /dev/zero > $out/zero`);
    const failed = (await runSmall(Effect.flip(build([big("100M")])))) as BuildsFailed;
    t.match(failed.message, /disk is full/i);
    t.same(await temporaryFiles(join(small, "store")), []);
    await runSmall(build([big("1M")]));
  },
);

t.test("a store that cannot be written to is named", async (t) => {
  const blocked = join(directory, "blocked");
  await writeFile(blocked, "");
  const { run: runBlocked } = makeHarness({ fs: nodeFs, root: blocked });
  await t.rejects(runBlocked(build([script("any", "echo > $out")])), { message: /cannot .*blocked/ });
});

t.test("all of this works for an ordinary user too", { skip: notRoot }, async (t) => {
  const { code, output } = await asOrdinaryUser(import.meta.filename);
  t.equal(code, 0, "the same tests pass as nobody");
  if (code !== 0) t.comment(output);
});
