/** Long, since it is one list of questions about builds, each a short test on the same harness. */
import * as Effect from "effect/Effect";
import t from "tap";
import { build, dryRun } from "#lib/build/build.ts";
import { readRecording, recordingEmit } from "#lib/build/event-recording.ts";
import { explain, knownCauses } from "#lib/build/hints.ts";
import { readBuildRecord } from "#lib/build/inspect/build-record.ts";
import { compareTrees } from "#lib/build/inspect/compare-trees.ts";
import { findLog, findLogOf } from "#lib/build/inspect/find-log.ts";
import { realisedOutputsOf } from "#lib/build/inspect/outputs.ts";
import { packageChanges, parsePackageName } from "#lib/build/inspect/package-changes.ts";
import { formatReason, planReasons } from "#lib/build/inspect/plan-reasons.ts";
import { showDerivation } from "#lib/build/inspect/show-derivation.ts";
import { planTasks } from "#lib/build/inspect/task-plan.ts";
import { explainDependency } from "#lib/build/inspect/why-depends.ts";
import { formatRebuildReport, whyRebuild } from "#lib/build/inspect/why-rebuild.ts";
import { buildStored, formatComparisons, rebuild, rebuildStored } from "#lib/build/rebuild.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import type { EngineEvent } from "#lib/platform/events.ts";
import { diffClosures } from "#lib/store/queries.ts";
import { Store } from "#lib/store/store.ts";
import { memory } from "../memory.ts";
import { makeHarness, testDerivation } from "./harness.ts";

function inMemory(files: Record<string, string> = {}) {
  const fs = memory(files);
  const harness = makeHarness({ fs });
  const buildOne = async (root: Derivation, origin?: string): Promise<StorePath> => {
    const options = origin === undefined ? {} : { originOf: () => origin };
    return (await harness.run(build([root], options))).outputs.get(root)!.get("out")!;
  };
  return { fs, ...harness, buildOne };
}

t.test("why-rebuild", (t) => {
  const report = async (m: ReturnType<typeof inMemory>, root: Derivation, origin?: string) =>
    formatRebuildReport(await m.run(whyRebuild(root, origin)));

  t.test("says when there is nothing to do, nothing to compare with, or nothing left", async (t) => {
    const m = inMemory();
    const root = testDerivation("root", [testDerivation("leaf", [])]);
    t.same(await report(m, root), ["2 derivations would be built: no earlier build is recorded to compare with."]);
    const path = await m.buildOne(root);
    t.same(await report(m, root), ["Nothing would be built."]);
    const { layout } = await m.run(Effect.map(Store, (store) => store));
    await m.fs.promises.rm(`${layout.info}/${path.slice("/nix/store/".length)}.json`);
    t.same(await report(m, root), [
      "1 derivation would be built although nothing changed: the outputs are not in the store any more.",
    ]);
  });

  t.test("names the variable, the line and the way to it, once", async (t) => {
    const graph = (flags: string, text: string) => {
      const leaf = testDerivation("leaf", [], { flags, script: `one\n${text}\nthree` });
      return testDerivation("root", [testDerivation("left", [leaf]), testDerivation("right", [leaf])]);
    };
    const m = inMemory();
    await m.buildOne(graph("-O1", "two"));
    t.same(await report(m, graph("-O2", "2")), [
      "4 derivations would be built, because of:",
      "  root → left → leaf",
      `    variable 'flags' changed: "-O1" → "-O2"`,
      `    variable 'script' changed: line 2: "two" → "2"`,
    ]);
  });

  t.test("shows long lines where they differ, and takes outputs in any order for the same", async (t) => {
    const m = inMemory();
    const long = (word: string) => `${"a".repeat(100)}${word}${"b".repeat(100)}`;
    const root = (word: string) => testDerivation("root", [], { text: long(word) }, { outputs: ["out", "manifest"] });
    await m.buildOne(root("left"));
    t.same(await report(m, root("right")), [
      "1 derivation would be built, because of:",
      "  root",
      `    variable 'text' changed: "…${"a".repeat(30)}left${"b".repeat(46)}…" → "…${"a".repeat(30)}right${"b".repeat(45)}…"`,
    ]);
  });

  t.test("names the files of a source", async (t) => {
    const m = inMemory({ "/src/a.c": "a", "/src/b.c": "b", "/src/c.c": "c" });
    const root = () => testDerivation("root", [], { src: source({ path: "/src" }) });
    await m.buildOne(root());
    await m.fs.promises.writeFile("/src/b.c", "B");
    await m.fs.promises.rm("/src/c.c");
    await m.fs.promises.writeFile("/src/d.c", "d");
    t.same(await report(m, root()), [
      "1 derivation would be built, because of:",
      "  root",
      "    source 'src' changed: b.c (content), c.c (removed), d.c (added)",
    ]);
  });

  t.test("compares with the last build of the same tree, else of any, and says so", async (t) => {
    const m = inMemory();
    const root = (text: string) => testDerivation("root", [], { text });
    const expected = (before: string, note: string[]) => [
      "1 derivation would be built, because of:",
      ...note,
      "  root",
      `    variable 'text' changed: "${before}" → "new"`,
    ];
    const { layout } = await m.run(Effect.map(Store, (store) => store));
    const seen = new Set(["durations.json"]);
    for (const [text, origin, seconds] of [
      ["a", "/a", 1000],
      ["b", "/b", 3000],
      ["old", undefined, 2000],
    ] as const) {
      await m.buildOne(root(text), origin);
      const file = m.fs.readdirSync(layout.builds).find((name) => !seen.has(name))!;
      seen.add(file);
      m.fs.utimesSync(`${layout.builds}/${file}`, seconds, seconds);
    }
    t.same(await report(m, root("new"), "/a"), expected("a", []));
    t.same(await report(m, root("new"), "/b"), expected("b", []));
    t.same(await report(m, root("new")), expected("old", []));
    const note = "(compared with the last build of /b, since none of /c is recorded)";
    t.same(await report(m, root("new"), "/c"), expected("b", [note]));
    t.same(await report(m, root("b"), "/c"), ["Nothing would be built."]);
    for (let index = 0; index < 8; index++) await m.buildOne(root(String(index)), `/many/${index}`);
    const left = m.fs.readdirSync(layout.builds).filter((name) => name.endsWith("root.json.gz"));
    t.equal(left.length, 8, "a tree that is not built any more is forgotten");
    t.same(await report(m, root("new"), "/many/0"), expected("0", []));
    await m.buildOne(root("7"), "/found");
    t.same(await report(m, root("new"), "/found"), expected("7", []), "also if everything was found");
    for (const name of m.fs.readdirSync(layout.builds)) m.fs.utimesSync(`${layout.builds}/${name}`, 1000, 1000);
    await m.buildOne(root("7"), "/many/7");
    t.equal(
      (await m.run(readBuildRecord("root", "/none")))?.origin,
      "/many/7",
      "what is recorded already becomes the last",
    );
    await m.buildOne(testDerivation("other-root", [], { text: "x" }), "/c");
    t.equal((await m.run(readBuildRecord("root", "/c")))?.origin?.startsWith("/many/"), true, "names are told apart");
  });

  t.test("names inputs that are new or gone, and changed promises", async (t) => {
    const fetched = (content: string) =>
      testDerivation("fetched", [], { content }, { fixedOutput: { mode: "flat", hash: sha256(content) } });
    const m = inMemory();
    await m.buildOne(testDerivation("root", [testDerivation("old", []), fetched("one")]));
    const lines = await report(m, testDerivation("root", [testDerivation("new", []), fetched("two")]));
    t.ok(lines.includes("    input 'new' is new"));
    t.ok(lines.includes("    input 'old' is gone"));
    t.match(lines.join("\n"), /root → fetched\n {4}outputs changed: "out flat sha256:\w+" → /);
  });

  t.end();
});

t.test("a plan is dealt out to tasks", (t) => {
  const fetched = (content: string) =>
    testDerivation("fetched", [], { content, size: "7" }, { fixedOutput: { mode: "flat", hash: sha256(content) } });
  const system = (text: string, download = "one") => {
    const tools = testDerivation("tools", [fetched(download)]);
    const stage = testDerivation("stage", [tools], { text });
    const base = testDerivation("base", [tools, testDerivation("kernel", [])]);
    const image = testDerivation("image", [stage, base, tools]);
    const tasks = [
      { id: "init", derivations: [tools] },
      { id: "stage", derivations: [stage] },
      { id: "validate", derivations: [] },
      { id: "base", derivations: [base] },
      { id: "collect", derivations: [image] },
    ];
    return { image, tasks };
  };
  const planned = async (m: ReturnType<typeof inMemory>, { image, tasks }: ReturnType<typeof system>) => {
    const { instantiation, plan } = await m.run(dryRun([image]));
    const root = instantiation.derivations.get(image)!.path;
    const reasonOf = planReasons(root, instantiation, await m.run(readBuildRecord("image", undefined)));
    return (await m.run(planTasks(tasks, instantiation, plan))).map(({ task, state, after, todo }) => [
      task.id,
      state,
      after.join(" "),
      todo.map(({ derivation: { path, store } }) => `${store.name}: ${formatReason(reasonOf(path)).join("; ")}`),
    ]);
  };

  t.test("each derivation to the first that needs it, also when everything is missing", async (t) => {
    const first = ["no earlier build is recorded"];
    t.strictSame(await planned(inMemory(), system("a")), [
      ["init", "build", "", [`fetched: ${first}`, `tools: ${first}`]],
      ["stage", "build", "init", [`stage: ${first}`]],
      ["validate", "evaluated", "", []],
      ["base", "build", "init", [`kernel: ${first}`, `base: ${first}`]],
      ["collect", "build", "init stage base", [`image: ${first}`]],
    ]);
  });

  t.test("after a change, with what changed", async (t) => {
    const m = inMemory();
    await m.buildOne(system("a").image);
    t.strictSame(
      (await planned(m, system("a"))).map(([id, state]) => `${id as string}: ${state as string}`),
      ["init: cached", "stage: cached", "validate: evaluated", "base: cached", "collect: cached"],
    );
    t.strictSame(
      (await planned(m, system("b"))).map(([, state, , todo]) => [state, todo]),
      [
        ["cached", []],
        ["build", [`stage: variable 'text' changed: "a" → "b"`]],
        ["evaluated", []],
        ["cached", []],
        ["build", ["image: stage changed"]],
      ],
    );
  });

  t.test("tells what is gone from what is not needed", async (t) => {
    const m = inMemory();
    const kept = system("a");
    const path = await m.buildOne(kept.image);
    const store = await m.run(Effect.map(Store, (store) => store));
    const forget = (path: StorePath) =>
      m.fs.promises.rm(`${store.layout.info}/${path.slice("/nix/store/".length)}.json`);
    const outputs = await m.run(realisedOutputsOf(kept.tasks[0]!.derivations[0]!));
    await forget(outputs.get("out")!);
    t.strictSame((await planned(m, kept))[0], ["init", "not needed", "", []], "nothing is built that needs it");
    await forget(path);
    const [init, , , , collect] = await planned(m, kept);
    t.strictSame(init, ["init", "build", "", ["tools: not in the store any more"]]);
    t.strictSame(collect?.[3], ["image: not in the store any more"]);
  });

  t.test("says when only a download is missing", async (t) => {
    const m = inMemory();
    const alone = { id: "fetch", derivations: [fetched("x")] };
    const root = fetched("x");
    const { instantiation, plan } = await m.run(dryRun([root]));
    const [task] = await m.run(planTasks([alone], instantiation, plan));
    t.strictSame([task?.state, task?.todo.map(({ kind }) => kind)], ["fetch", ["fetch"]]);
  });

  t.end();
});

t.test("why-depends names the files that make the chain", async (t) => {
  const m = inMemory();
  const store = await m.run(Effect.map(Store, (store) => store));
  const tree = async (name: string, files: Record<string, string>) => {
    const directory = `/built-${name}`;
    await m.fs.promises.mkdir(`${directory}/share`, { recursive: true });
    for (const [file, content] of Object.entries(files)) await m.fs.promises.writeFile(`${directory}/${file}`, content);
    const paths = Object.values(files).filter((content) => content.startsWith("/nix/store/")) as StorePath[];
    return (await m.run(store.registerOutput({ name, directory, candidates: paths }))).path;
  };
  const leaf = await tree("leaf", { x: "x" });
  const middle = await tree("middle", { "share/config": leaf, other: "y" });
  const top = await tree("top", { b: middle, a: middle });
  t.same(await m.run(explainDependency(top, leaf)), [
    { path: top, files: ["a", "b"] },
    { path: middle, files: ["share/config"] },
    { path: leaf, files: [] },
  ]);
  t.equal(await m.run(explainDependency(leaf, top)), undefined);
});

t.test("the difference of two closures is told by packages and versions", async (t) => {
  t.same(parsePackageName("gcc-arm-none-eabi-12.2.rel1"), { name: "gcc-arm-none-eabi", version: "12.2.rel1" });
  t.same(parsePackageName("source"), { name: "source", version: "" });
  const m = inMemory();
  const store = await m.run(Effect.map(Store, (store) => store));
  const closure = async (packages: Record<string, number>) => {
    const paths: StorePath[] = [];
    for (const [name, size] of Object.entries(packages))
      paths.push(await m.run(store.addText(name, "x".repeat(size), [])));
    return m.run(store.addText("closure", paths.join("\n"), paths));
  };
  const before = await closure({ "zlib-1.2": 100, "old-1": 10, "same-1": 50 });
  const after = await closure({ "zlib-1.3": 20_100, "new-2": 10, "same-1": 51 });
  const changes = packageChanges(await m.run(diffClosures(before, after)));
  t.same(
    changes.map(({ name, before, after }) => [name, before, after]),
    [
      ["new", [], ["2"]],
      ["old", ["1"], []],
      ["zlib", ["1.2"], ["1.3"]],
    ],
  );
  t.equal(changes[2]!.sizeChange, 20_000);
});

t.test("a second build", (t) => {
  const counting = () => {
    let builds = 0;
    const files = inMemory();
    const harness = makeHarness({
      fs: files.fs,
      // Not reproducible: the content differs from build to build.
      during: (name) =>
        Effect.promise(() => files.fs.promises.writeFile("/tick", name === "stable" ? "same" : String(++builds))),
    });
    return { ...harness, fs: files.fs };
  };

  t.test("that gives the same is reproducible", async (t) => {
    const m = inMemory();
    const comparisons = await m.run(rebuild([testDerivation("root", [testDerivation("leaf", [])])]));
    t.equal(comparisons.length, 1);
    t.equal(comparisons[0]!.before, comparisons[0]!.after);
    t.same(comparisons[0]!.differences, []);
    t.same(m.ran, ["leaf", "root", "root"]);
  });

  t.test("that gives something else shows which files differ, and keeps both", async (t) => {
    const m = counting();
    const root = testDerivation("root", [], { tick: "/tick" });
    const first = (await m.run(build([root]))).outputs.get(root)!.get("out")!;
    const [comparison] = await m.run(rebuild([root]));
    t.equal(comparison!.before, first);
    t.not(comparison!.after, first);
    t.same(comparison!.differences, [{ file: "", kind: "content", offset: 0 }]);
    t.same(formatComparisons([comparison!]), [
      "root is NOT reproducible:",
      `  first:  ${first}`,
      `  second: ${comparison!.after}`,
      "  the output itself: content from byte 0",
    ]);
    const again = await m.run(build([root]));
    t.equal(again.outputs.get(root)!.get("out"), first, "the first result stays the result");
  });

  t.test("of all that something is built from, downloads aside, blames only what differs by itself", async (t) => {
    const m = counting();
    const content = "fetched";
    const fetched = testDerivation(
      "fetched",
      [],
      { content },
      { fixedOutput: { mode: "flat", hash: sha256(content) } },
    );
    const ticking = testDerivation("ticking", [fetched], { tick: "/tick" });
    const root = testDerivation("root", [testDerivation("middle", [ticking]), testDerivation("stable", [])]);
    const first = (await m.run(build([root]))).outputs.get(root)!.get("out")!;
    m.ran.length = 0;
    m.events.length = 0;
    const comparisons = await m.run(rebuild([root], { again: "all", jobs: 1 }));
    t.same([...m.ran].sort(), ["middle", "root", "stable", "ticking"]);
    t.same(m.events[0], { type: "plan", builds: 4, fetches: 0, downloadBytes: 0 });
    t.equal(m.events.filter(({ type }) => type === "build-finished").length, 4);
    t.same(
      comparisons.filter(({ before, after }) => before !== after).map(({ derivation }) => derivation),
      ["ticking"],
    );
    t.equal(comparisons.find(({ derivation }) => derivation === "root")!.after, first);
    const sixty = Array.from({ length: 15 }, () => comparisons).flat();
    t.equal(formatComparisons(sixty).at(-1), "45 of 60 outputs are reproducible");
  });

  t.test("copies sources that were collected again", async (t) => {
    const m = inMemory({ "/src/a.c": "a" });
    const root = testDerivation("root", [testDerivation("leaf", [])], { src: source({ path: "/src" }) });
    const path = await m.buildOne(root);
    await m.run(Effect.flatMap(Store, (store) => store.collectGarbage({ keep: [path] })));
    t.same(
      (await m.run(rebuild([root]))).map(({ after }) => after),
      [path],
    );
    const { layout } = await m.run(Effect.map(Store, (store) => store));
    t.ok((await m.fs.promises.readdir(layout.objects)).some((entry) => String(entry).endsWith("-src")));
  });

  t.test("can be asked for by the path of the derivation, as errors show it", async (t) => {
    const m = inMemory();
    const path = await m.buildOne(testDerivation("root", [testDerivation("leaf", [])]));
    const info = await m.run(Effect.flatMap(Store, (store) => store.pathInfo(path)));
    const outputs = await m.run(buildStored(info!.deriver!));
    t.equal(outputs.get("out"), path);
    t.same((await m.run(rebuildStored(info!.deriver!)))[0]?.differences, []);
    const missing = `/nix/store/${"0".repeat(32)}-none.drv` as DerivationPath;
    await t.rejects(m.run(buildStored(missing)), { message: /is not in the store/ });
  });

  t.end();
});

t.test("outputs that are there are found without building", async (t) => {
  const m = inMemory();
  const root = testDerivation("root", [], {}, { outputs: ["out", "dev"] });
  t.equal((await m.run(realisedOutputsOf(root))).size, 0);
  const { outputs } = await m.run(build([root]));
  t.same([...(await m.run(realisedOutputsOf(root)))], [...outputs.get(root)!]);
});

t.test("logs are found by output, by derivation and by what was evaluated, also of failed builds", async (t) => {
  const m = inMemory();
  const good = testDerivation("good", [testDerivation("leaf", [])]);
  const path = await m.buildOne(good);
  const log = await m.run(findLog(path));
  t.equal(await m.fs.promises.readFile(log!, "utf8"), "making good\n");
  t.equal(await m.run(findLogOf(good)), log);
  const same = testDerivation("good", [testDerivation("leaf", [])], { comment: "changes nothing" });
  t.equal(await m.buildOne(same), path);
  const other = await m.run(findLogOf(same));
  t.ok(other !== undefined && other !== log, "not the log of another derivation that made the same");

  const bad = testDerivation("bad", [testDerivation("leaf", [])], { fails: true });
  t.equal(await m.run(findLogOf(bad)), undefined);
  await t.rejects(m.run(build([bad])));
  t.equal(await m.fs.promises.readFile((await m.run(findLogOf(bad)))!, "utf8"), "making bad\nit was told to fail.\n");
});

t.test("two trees are compared as a NAR sees them", async (t) => {
  const { fs } = inMemory({
    "/a/same": "same",
    "/a/content": "one two",
    "/a/type": "file",
    "/a/gone/x": "x",
    "/a/longer": "123",
    "/b/same": "same",
    "/b/content": "one TWO",
    "/b/type/y": "y",
    "/b/new": "n",
    "/b/longer": "1234",
  });
  await fs.promises.chmod("/a/same", 0o755);
  await fs.promises.symlink("one", "/a/link");
  await fs.promises.symlink("two", "/b/link");
  t.same(await compareTrees(fs, "/a", "/b"), [
    { file: "content", kind: "content", offset: 4 },
    { file: "gone", kind: "removed" },
    { file: "link", kind: "target" },
    { file: "longer", kind: "content", offset: 3 },
    { file: "new", kind: "added" },
    { file: "same", kind: "executable" },
    { file: "type", kind: "type" },
  ]);
  t.same(await compareTrees(fs, "/a", "/a"), []);
});

t.test("derivation show is sorted plain data", async (t) => {
  const m = inMemory();
  const fixed = testDerivation("fetched", [], { content: "x" }, { fixedOutput: { mode: "flat", hash: sha256("x") } });
  const root = testDerivation("root", [fixed], {}, { outputs: ["out", "dev"] });
  const { instantiation } = await m.run(build([root]));
  const shown = showDerivation(instantiation.derivations.get(root)!.store);
  t.same(shown.outputs, { dev: { hashAlgo: "r:sha256" }, out: { hashAlgo: "r:sha256" } });
  t.same(shown.inputDrvs, { [instantiation.derivations.get(fixed)!.path]: ["out"] });
  t.same(Object.keys(shown.env), Object.keys(shown.env).sort());
  const { out } = showDerivation(instantiation.derivations.get(fixed)!.store).outputs;
  t.match(out, { path: /-fetched$/, hashAlgo: "sha256", hash: sha256("x").hex });
});

t.test("a recorded event stream replays", async (t) => {
  const seen: EngineEvent[] = [];
  let recording = "";
  let now = 1000;
  const emit = recordingEmit(
    (event) => seen.push(event),
    (line) => (recording += line),
    () => (now += 5),
  );
  const m = inMemory();
  await m.run(build([testDerivation("root", [])]));
  for (const event of m.events) emit(event);
  const replayed = readRecording(recording);
  t.same(
    replayed.map(({ event }) => event),
    seen,
  );
  t.equal(replayed[0]!.milliseconds, 5);
  t.throws(() => readRecording('{"milliseconds":1,"event":{"type":"nonsense"}}\n'), {
    message: /line 1 .*unknown event 'nonsense'/,
  });
  t.throws(() => readRecording("{}\n{"), { message: /line 1 .*no time/ });
});

t.test("known causes of failures", (t) => {
  /** For each cause a line that some tool really prints. */
  const samples: Record<string, string> = {
    "disk-full": "cp: error writing 'x': No space left on device",
    "out-of-memory": "c++: fatal error: Killed signal terminated program cc1plus",
    network: "curl: (6) Could not resolve host: example.org",
    "sandbox-program": "bwrap: execvp /bin/bsh: No such file or directory",
    sandbox: "bwrap: Can't find source path /x: No such file or directory",
    "pkg-config": "No package 'libudev' found",
    "cmake-policy": "  Compatibility with CMake < 3.5 has been removed from CMake.",
    "cmake-package": '  Could not find a package configuration file provided by "Qt6" with any of',
    "meson-option": 'meson.build:1:0: ERROR: Unknown option: "docs".',
    "meson-boolean":
      'meson.build:1:0: ERROR: Value "true" (of type "string") for combo option "nls" is not one of the choices.',
    header: "main.c:1:10: fatal error: zlib.h: No such file or directory",
    "linker-library": "/usr/bin/ld: cannot find -lz: No such file or directory",
    "wrong-architecture": "./configure: line 5: ./conftest: cannot execute binary file: Exec format error",
    "python-module": "ModuleNotFoundError: No module named 'jinja2'",
    "cargo-vendor": "error: no matching package named `serde` found",
    "read-only": "mkdir: cannot create directory '/usr/x': Read-only file system",
    chown: "chown: changing ownership of 'x': Operation not permitted",
    interpreter: "bash: line 1: bison: command not found",
    "test-failure": "50% tests passed, 1 tests failed out of 2",
  };
  t.same(Object.keys(samples).sort(), knownCauses.map(({ id }) => id).sort(), "every cause has a sample");
  for (const [id, line] of Object.entries(samples)) {
    t.equal(explain(["some other line", line])[0]?.id, id, line);
  }

  t.test("an ordinary log shows none", (t) => {
    const lines = [
      "checking for gcc... gcc",
      "gcc -O2 -c main.c -o main.o",
      "make: Nothing to be done for 'all'.",
      "all tests passed",
    ];
    t.same(explain(lines), []);
    t.end();
  });

  t.test("evidence is shown once for each line, and three lines at most", (t) => {
    const lines = ["a.h", "b.h", "a.h", "c.h", "d.h"].map(
      (header) => `x.c:1: fatal error: ${header}: No such file or directory`,
    );
    t.equal(explain(lines)[0]!.evidence.length, 3);
    t.match(explain(lines)[0]!.evidence[2], /c\.h/);
    t.end();
  });

  t.test("a line that a pattern begins to match again and again is not searched to its end", (t) => {
    const line = "Dependency ".repeat(60_000);
    const start = performance.now();
    t.same(
      explain([line, `${samples.header} ${line}`]).map(({ id }) => id),
      ["header"],
    );
    t.ok(performance.now() - start < 2000);
    t.end();
  });

  t.end();
});
