import { copyFile, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { makeToolRoot } from "../build/tool-root.ts";
import { helios } from "./rig.ts";

/** Small packages that are built within a second: `app` refers to `lib`, `broken` fails, `clock` is never the same. */
const flakeText = (tools: string) => `
import { main } from "#lib/cli/main.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";

const tools = source({ path: ${JSON.stringify(tools)}, name: "tools" });
const data = source({ path: import.meta.dirname, name: "data", include: ["data.txt"] });
const step = (name, script, env = {}, rest = {}) => derivation({ name, builder: "/bin/bash", args: ["-ec", script], env: { environment: tools, ...env }, ...rest });
const lib = step("lib-1.0", "mkdir $out; echo lib > $out/lib.txt");
const flake = defineFlake({
  description: "A flake that builds",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: () => ({
    systems: {},
    packages: {
      app: step("app-1.0", "echo building the app; mkdir $out; echo $lib > $out/uses; cat $data/data.txt > $out/data", { lib, data }),
      lib,
      broken: step("broken", "touch left; echo before the failure; exit 3"),
      slow: step("slow", "echo begun; sleep 100"),
      clock: step("clock", "date +%N > $out"),
      other: step("other", "echo x > $out", { url: "https://example.org/x" }, { fixedOutput: { mode: "flat", hash: sha256("y") } }),
      gone: derivation({ name: "gone", builder: "builtin:fetch-url", env: { urls: "file://" + import.meta.dirname + "/gone" }, fixedOutput: { mode: "flat", hash: sha256("gone") } }),
      twins: derivation({ name: "twins", outputs: ["out", "doc"], builder: "/bin/bash", args: ["-ec", "cat $data/data.txt > $out; echo doc > $doc"], env: { environment: tools, data } }),
      fetched: derivation({ name: "fetched", builder: "builtin:fetch-url", env: { urls: "file://" + import.meta.dirname + "/fetch-me" }, fixedOutput: { mode: "flat", hash: sha256("fetched\\n") } }),
    },
    checks: {},
  }),
});
export default flake;
await main(flake, import.meta.url);
`;

t.test("commands on a store", async (t) => {
  const tools = await makeToolRoot();
  t.teardown(tools.remove);
  const directory = t.testdir({
    "flake.ts": flakeText(tools.path),
    "data.txt": "one\n",
    "fetch-me": "fetched\n",
    cache: {},
  });
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    helios(args, {
      flake: join(directory, "flake.ts"),
      cwd: directory,
      env: { HELIOS_STORE: join(directory, "store"), ...env },
    });
  let app = "";
  let lib = "";
  let recorded = "";

  await t.test("--dry-run tells what would be built, and builds nothing", async (t) => {
    const plan = await run(["build", ".#app", "--dry-run", "--json"]);
    t.equal(plan.code, 0, plan.stderr);
    const planned = JSON.parse(plan.stdout) as readonly { readonly name: string; readonly kind: string }[];
    t.strictSame(
      planned.map(({ name, kind }) => [name, kind]),
      [
        ["lib-1.0", "build"],
        ["app-1.0", "build"],
      ],
    );
    const placeholder = await run(["eval", "--raw", ".#app"]);
    t.match(placeholder.stdout, /^\/[0-9a-z]{52}$/, placeholder.stderr);
    const log = await run(["log", ".#app"]);
    t.equal(log.code, 1, log.stdout);
    t.match(log.stderr, "'.#app' has no log");
  });

  await t.test("what is built can be inspected", async (t) => {
    const built = await run(["build", ".#app", "--json", "--record", "events.jsonl"]);
    t.equal(built.code, 0, built.stderr);
    recorded = built.stderr;
    app = (JSON.parse(built.stdout) as readonly { readonly outputs: { readonly out: { readonly path: string } } }[])[0]!
      .outputs.out.path;

    const log = await run(["log", "./result"]);
    t.strictSame([log.code, log.stdout], [0, "building the app\n"], log.stderr);

    await t.test("and what is built already is linked and printed without the engine", async (t) => {
      /** Runs a command; the modules that it loaded, by V8's report. */
      const loadedBy = async (...args: readonly string[]) => {
        const reports = t.testdir({});
        const ended = await run(args, { NODE_V8_COVERAGE: reports });
        const texts = (await readdir(reports)).map((name) => readFile(join(reports, name), "utf8"));
        return { ended, loaded: (await Promise.all(texts)).join("\n") };
      };
      const engine = /effect\/dist\/Layer\.js|lib\/store\/local-store\.ts/;
      const again = await loadedBy("build", ".#app", "--json", "--out-link", "again");
      t.strictSame([again.ended.code, again.ended.stdout, again.ended.stderr], [0, built.stdout, ""]);
      t.equal(await readlink(join(directory, "again")), await readlink(join(directory, "result")));
      t.notMatch(again.loaded, engine);
      t.match((await loadedBy("build", ".#app", "--dry-run")).loaded, engine, "the check can fail");
      t.strictSame(await readdir(join(directory, "store/nix/var/helios/users")), [], "nothing stays protected");

      await writeFile(join(directory, "taken"), "");
      const taken = await run(["build", ".#app", "--out-link", "taken"]);
      t.equal(taken.code, 6);
      t.match(taken.stderr, "a file is there");
      await rm(join(directory, "again"));

      const twice = ["build", ".#app", ".#lib", ".#app", "--json", "--out-link", "twice"];
      const [without, withEngine] = [await run(twice), await run([...twice, "--record", "twice.jsonl"])];
      t.equal(without.stdout, withEngine.stdout, "what is named twice is there twice, in both ways");
      const links = (await readdir(directory)).filter((name) => name.startsWith("twice")).sort();
      t.strictSame(links, ["twice", "twice-1", "twice-2", "twice.jsonl"]);
      await Promise.all(links.map((name) => rm(join(directory, name))));
    });
    const silent = await run(["log", ".#lib"]);
    t.strictSame([silent.code, silent.stdout], [0, ""]);
    t.match(silent.stderr, ".#lib was built without a word");

    const value = await run(["eval", "--raw", ".#app"]);
    t.equal(value.stdout, app, value.stderr);

    const info = await run(["path-info", "--json", "-r", ".#app"]);
    t.equal(info.code, 0, info.stderr);
    const infos = JSON.parse(info.stdout) as readonly {
      readonly path: string;
      readonly narSize: number;
      readonly closureSize: number;
    }[];
    lib = infos.find(({ path }) => path.endsWith("lib-1.0"))?.path ?? "";
    t.strictSame(infos.map(({ path }) => path).sort(), [app, lib].sort());
    const [whole, part] = [app, lib].map((path) => infos.find((info) => info.path === path)!);
    t.equal(whole!.closureSize, whole!.narSize + part!.narSize);

    const why = await run(["why-depends", "./result", lib]);
    t.strictSame(why.stdout.split("\n").slice(0, 3), [app, "  in uses:", `  ${lib}`], why.stderr);

    const shown = await run(["derivation", "show", app]);
    t.match(Object.values(JSON.parse(shown.stdout) as object)[0], {
      name: "app-1.0",
      builder: "/bin/bash",
      env: { lib },
    });
    const roots = await run(["store", "roots", "--json"]);
    t.strictSame(JSON.parse(roots.stdout), [{ link: join(directory, "result"), target: app }]);
  });

  await t.test("a recorded build replays as the same lines", async (t) => {
    const replayed = await run(["replay", "events.jsonl", "--speed", "0"]);
    t.equal(replayed.code, 0, replayed.stderr);
    t.equal(replayed.stderr, recorded);
    // Where there is no bubblewrap, one is fetched and built in between.
    t.match(
      replayed.stderr,
      /^to do: 0 downloads, 2 builds\n(?:.*\n)*built lib-1\.0 in .*\nbuilding app-1\.0\nbuilt app-1\.0 in .*\n$/,
    );
    const wrong = await run(["replay", "flake.ts"]);
    t.equal(wrong.code, 2);
    t.match(wrong.stderr, "line 1 of the recording");
  });

  await t.test("why-rebuild names the file that changed, and diff-closures what became of it", async (t) => {
    await writeFile(join(directory, "data.txt"), "two\n".repeat(10_000));
    const why = await run(["why-rebuild", ".#app"]);
    t.equal(
      why.stdout,
      "1 derivation would be built, because of:\n  app-1.0\n    source 'data' changed: data.txt (content)\n",
      why.stderr,
    );
    const built = await run(["build", ".#app", "--no-link"]);
    t.equal(built.code, 0, built.stderr);
    const copy = join(directory, "copy");
    await mkdir(copy);
    for (const file of ["flake.ts", "data.txt"]) await copyFile(join(directory, file), join(copy, file));
    await writeFile(join(copy, "data.txt"), "three\n");
    const note = `compared with the last build of ${directory}, since none of ${copy} is recorded`;
    const elsewhere = { flake: join(copy, "flake.ts"), cwd: copy, env: { HELIOS_STORE: join(directory, "store") } };
    const whyThere = await helios(["why-rebuild", ".#app"], elsewhere);
    t.match(whyThere.stdout, `because of:\n(${note})\n  app-1.0\n`, whyThere.stderr);
    const planThere = await helios(["plan", ".#app"], elsewhere);
    t.equal(planThere.stderr, `${note}\n`);
    await copyFile(join(directory, "data.txt"), join(copy, "data.txt"));
    const found = await helios(["build", ".#app", "--no-link"], elsewhere);
    t.equal(found.stderr, "", "a build that finds everything is one too");
    await writeFile(join(copy, "data.txt"), "three\n");
    t.match((await helios(["why-rebuild", ".#app"], elsewhere)).stdout, "because of:\n  app-1.0\n");
    const difference = await run(["diff-closures", app, ".#app"]);
    t.match(difference.stdout, /^app: .*\+39 KiB\n$/, difference.stderr);
  });

  await t.test("a failed build says how to run it again, and that works", async (t) => {
    const failed = await run(["build", ".#broken"]);
    t.strictSame([failed.code, failed.stdout], [1, ""], failed.stderr);
    const [, derivation] =
      /^Run it again with: HELIOS_STORE=\S+ npx tsx flake\.ts build (\S+\.drv) --keep-failed$/m.exec(failed.stderr) ??
      [];
    t.ok(derivation, failed.stderr);
    const again = await run(["build", derivation!, "--keep-failed"]);
    t.equal(again.code, 1, again.stderr);
    t.match(again.stderr, /> before the failure[^]*Build directory: \S+\nRun it again with: sh \S+replay\.sh/);
    const log = await run(["log", ".#broken"]);
    t.equal(log.stdout, "before the failure\n", log.stderr);
    const deleted = await run(["build", `/nix/store/${"0".repeat(32)}-gone.drv`]);
    t.equal(deleted.code, 6);
    t.match(deleted.stderr, "build what it came from", "whoever asks to build it is not told to build it first");
    const shell = await run(["build", ".#broken", "--shell"]);
    t.equal(shell.code, 0, shell.stderr);
    t.match(shell.stderr, /^a shell in what the failed build left: \S+broken/, "and nothing is said to be built");
  });

  await t.test("a download that a recipe names itself is not taken for a pin of the lock file", async (t) => {
    const failed = await run(["build", ".#gone", ".#broken", "--keep-going"]);
    t.equal(failed.code, 1, failed.stderr);
    t.match(failed.stderr, /'gone' failed: no URL has the file:\n {2}file:\S+gone: no such file\nCorrect the URL/);
    t.match(failed.stderr, "> before the failure", "the other failure is told too");
    t.notMatch(failed.stderr, "flake.lock");
    t.equal((await run(["build", ".#gone"])).code, 5);
    const other = await run(["build", ".#other"]);
    t.equal(other.code, 5, "other content than pinned is the fault of where it came from");
    t.match(other.stderr, "Hash mismatch in 'other' (https://example.org/x)");
  });

  await t.test("a build that takes or is silent too long is killed", async (t) => {
    for (const [flag, pattern] of [
      ["--timeout", /'slow' was killed after 1 s, its time limit[^]*--timeout[^]*> begun/],
      ["--max-silent-time", /'slow' was killed after 1 s without any output[^]*--max-silent-time[^]*> begun/],
    ] as const) {
      const killed = await run(["build", ".#slow", flag, "1"]);
      t.equal(killed.code, 1, killed.stderr);
      t.match(killed.stderr, pattern);
      t.match(
        killed.stderr,
        new RegExp(`^Run it again with: .* --keep-failed ${flag} 1$`, "m"),
        "the same limit again",
      );
    }
    const wrong = await run(["build", ".#slow", "--max-memory", "lots"]);
    t.equal(wrong.code, 2, wrong.stderr);
    t.match(wrong.stderr, /"lots"\. Expected: a size such as 500M or 4G/);
  });

  await t.test("--rebuild tells what is not reproducible, and where it differs", async (t) => {
    const result = await run(["build", ".#clock", "--rebuild"]);
    t.equal(result.code, 1, result.stderr);
    t.match(result.stdout, /clock[^]*the output itself: content from byte \d/);
    const fine = await run(["build", app, ".#lib", "--rebuild"]);
    t.equal(fine.code, 2, "an output is no derivation");
  });

  await t.test("a cache gives what was pushed to it, if its key is trusted", async (t) => {
    const url = `file://${join(directory, "cache")}`;
    const key = await run(["store", "generate-key", "test-1"]);
    t.match(key.stdout, /^test-1:\S+=\n$/, key.stderr);
    const again = await run(["store", "generate-key", "test-1"]);
    t.equal(again.code, 6);
    t.match(again.stderr, /cannot write the secret key 'test-1.secret': it is there already, and is not overwritten/);
    for (const name of ["a b", "a:b", "", "/tmp/key"]) {
      const refused = await run(["store", "generate-key", name]);
      t.not(refused.code, 0, name);
      t.match(refused.stderr, "a key's name consists of letters, digits");
    }
    const port = await run(["store", "serve", directory, "--port", "65536"]);
    t.equal(port.code, 2, port.stderr);
    t.match(port.stderr, /"65536".*a port from 0 to 65535/);
    const pushed = await run(["store", "push", url, ".#app", "--secret-key-file", "test-1.secret", "--json"]);
    t.equal(pushed.code, 0, pushed.stderr);
    t.equal((JSON.parse(pushed.stdout) as { readonly pushed: readonly string[] }).pushed.length, 2);
    const all = await run(["store", "push", `${url}/all`, "--all", "--json"]);
    const rest = JSON.parse(all.stdout) as { readonly pushed: readonly string[] };
    t.ok(
      rest.pushed.some((path) => path.endsWith("-clock")),
      "what no installable named",
    );

    const other = { HELIOS_STORE: join(directory, "other") };
    const untrusted = await run(["build", ".#app", "--no-link", "--dry-run", "--substituters", url], other);
    t.equal(untrusted.code, 0, untrusted.stderr);
    t.match(untrusted.stdout, /^would build 2 derivations, unless .*, or as in a cache:$/m, untrusted.stdout);
    const caches = ["--substituters", url, "--trusted-public-keys", key.stdout];
    const offered = await run(["build", ".#app", "--dry-run", ...caches], other);
    t.match(
      offered.stdout,
      /^would take 1 result from binary caches, \S+ [^\n]+:\n {2}app-1\.0 {2}\S+\n$/,
      offered.stderr,
    );
    const planned = await run(["plan", ".#app", ...caches], other);
    t.match(
      planned.stdout,
      / fetch +Build app-1\.0\n +cache file:\S+ has app-1\.0, .*\nWould take 1 result from caches/,
    );
    const items = await run(["plan", ".#app", "--json", ...caches], other);
    t.match(JSON.parse(items.stdout), [{ state: "fetch", todo: [{ name: "app-1.0", kind: "cache", caches: [url] }] }]);
    const substituted = await run(["build", ".#app", "--no-link"], {
      ...other,
      HELIOS_SUBSTITUTERS: url,
      HELIOS_TRUSTED_PUBLIC_KEYS: key.stdout,
    });
    t.equal(substituted.code, 0, substituted.stderr);
    t.equal(substituted.stderr, "substituted app-1.0\n", "nothing was built");
    const pulled = await run(["store", "pull", url, lib], { HELIOS_STORE: join(directory, "third") });
    t.equal(pulled.stdout, `${lib}\n1 path pulled\n`, pulled.stderr);
    const misspelt = await run(["build", ".#app", "--dry-run", "--substituters", `${url}-2`], other);
    t.match(misspelt.stderr, `warning: there is no cache at ${url}-2: it has no nix-cache-info. Is its name misspelt?`);
    const missing = await run(["store", "pull", url, app], other);
    t.equal(missing.code, 5, missing.stderr);
  });

  await t.test("verify finds what changed and repairs it; gc deletes what no root needs", async (t) => {
    const { chmod, readdir, readFile } = await import("node:fs/promises");
    const fetched = await run(["build", ".#fetched", "--no-link"]);
    t.equal(fetched.code, 0, fetched.stderr);
    for (const file of [join(directory, "store", lib, "lib.txt"), fetched.stdout.trim()]) {
      await chmod(file, 0o644);
      await writeFile(file, "rotten\n");
    }
    const found = await run(["store", "verify"]);
    t.strictSame([found.code, found.stdout.includes(`'${lib}' was changed`)], [6, true], found.stderr);
    const repaired = await run(["store", "verify", "--repair"]);
    t.equal(repaired.code, 0, repaired.stderr);
    t.match(repaired.stdout, `repaired: ${lib}`, "by building it again");
    t.match(repaired.stdout, /^repaired: \S+-fetched$/m, "by fetching it again");
    t.equal(await readFile(fetched.stdout.trim(), "utf8"), "fetched\n");

    const twins = (await run(["build", ".#twins", "--no-link"])).stdout.trim().split("\n");
    t.equal(twins.length, 2, "both outputs");
    for (const file of twins) {
      await chmod(file, 0o644);
      await writeFile(file, "rotten\n");
    }
    const data = (await readdir(join(directory, "store/nix/store"))).find((name) => name.endsWith("-data"))!;
    await chmod(join(directory, "store/nix/store", data, "data.txt"), 0o644);
    await writeFile(join(directory, "store/nix/store", data, "data.txt"), "rotten\n");
    const unmendable = await run(["store", "verify", "--repair"]);
    t.strictSame(
      [unmendable.code, unmendable.stdout.includes(`to be made by the next build: /nix/store/${data}\n`)],
      [0, true],
      `what only the flake has is left to the next build: ${unmendable.stderr}`,
    );
    t.match(
      unmendable.stdout,
      new RegExp(
        `^cannot be made again: \\S+-twins\\S*, \\S+-twins\\S*\n.*'/nix/store/${data}' is not in the store`,
        "m",
      ),
      "the build of both outputs is tried once",
    );
    t.match(unmendable.stdout, /^ {2}it comes from the files of a flake, whose next build copies it again$/m);
    const clean = await run(["store", "verify"]);
    t.strictSame([clean.code, clean.stdout.includes(", 0 problems")], [0, true], clean.stdout);
    const again = await run(["build", ".#app", "--rebuild"]);
    t.match(again.stdout, "app-1.0 is reproducible", again.stderr);

    const dry = await run(["store", "gc", "--dry-run", "--json"]);
    const { deleted } = JSON.parse(dry.stdout) as { readonly deleted: readonly string[] };
    t.ok(deleted.length > 0 && !deleted.includes(app) && !deleted.includes(lib), dry.stdout);
    const young = await run(["store", "gc", "--older-than", "1h"]);
    t.match(
      young.stdout,
      /^deleted 0 paths, 0 B, 1 leftover; \d+ paths stay\n$/,
      "the derivation of what cannot be built",
    );
    const swept = await run(["store", "gc"]);
    t.match(swept.stdout, new RegExp(`deleted ${deleted.length} paths, .*\\d+ logs, 1 kept failure;`), swept.stderr);
    const gone = await run(["path-info", ".#clock"]);
    t.equal(gone.code, 6, gone.stderr);
    const wrong = await run(["store", "gc", "--max-size", "lots"]);
    t.equal(wrong.code, 2, wrong.stderr);
    t.match(wrong.stderr, /"lots"\. Expected: a size such as 500M or 20G/);
  });
});
