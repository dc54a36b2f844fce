import { copyFile, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { helios, root } from "../cli/rig.ts";

/** Artifacts of every kind, built by the real compilers in the sandbox, offline. */
const flakeText = `
import { main } from "#lib/cli/main.ts";
import { defineModule } from "#lib/evaluator/index.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "${root}/systems/helios-cm5.ts";
import blink from "${root}/tests/fixtures/profiles/blink/profile.ts";

const workspace = import.meta.dirname + "/rust";
const tests = ["cargo", "test", "--workspace", "--locked", "--quiet"];
const programs = defineModule({
  config: {
    workspace: { root_dir: import.meta.dirname },
    program: {
      checks: [{ id: "cargo-test", run: tests, environment: "native-rust" }],
      rust: {
        workspace_dir: workspace,
        artifacts: [
          { id: "program", check_ids: ["cargo-test"] },
          { id: "other" },
          { id: "commanded", package: "other", build_command: ["sh", "-c", "cargo build --offline --bin other && cp target/$CARGO_BUILD_TARGET/debug/other made"], output_path: "made" },
        ],
      },
      java: {
        workspace_dir: "java",
        artifacts: [
          { id: "greeter", source_dirs: ["src"], resource_dirs: ["resources"], main_class: "org.example.Greeter" },
          {
            id: "by-command",
            build_command: ["sh", "-c", "javac -d classes src/org/example/*.java && cp resources/* classes && mkdir dist && jar cfe dist/app.jar org.example.Greeter -C classes ."],
            output_path: "dist/app.jar",
          },
        ],
      },
    },
  },
});
// What was built in an earlier run would not be built again, and so would not warn.
const run = ${JSON.stringify(String(Date.now()))};
const judged = (check_policy) => defineModule({
  config: {
    program: {
      check_policy,
      checks: [{ id: "taste", run: ["sh", "-c", "echo found a flaw; exit 3"], env: { RUN: run } }],
      custom: { artifacts: [{ id: "judged", cwd: import.meta.dirname + "/java", build_command: ["cp", "resources/greeting.txt", "made"], output_path: "made", check_ids: ["taste"] }] },
    },
  },
});

const flake = defineFlake({
  description: "Artifacts",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: ({ lock }) => {
    const pkgs = makePackages({ lock });
    const all = evalSystem({ pkgs, modules: [blink, programs] }).config.program.products;
    const product = (id) => all[id];
    const look = (name, environment, script, env) => pkgs.mkDerivation({ name, environment, script, env });
    const { crossC, java, imageTools } = pkgs.environments;
    // A program and a plugin that need libnone.so.1 and nothing else, in root file systems with and without it.
    const parts = look("parts", crossC, \`
      mkdir "$out"; cd "$out"
      echo 'int none(void) { return 1; }' > none.c
      echo 'int none(void); int start(void) { return none(); }' > start.c
      cc="aarch64-linux-gnu-gcc -nostdlib"
      $cc -shared -Wl,-soname,libnone.so.1 -o libnone.so.1 none.c
      $cc -Wl,-e,start -o program start.c libnone.so.1
      $cc -shared -o plugin.so start.c libnone.so.1
    \`);
    const libraryCheck = (name, files, entries = []) => {
      const copies = ["/usr/sbin/init", ...Object.keys(files)].map((to) => \`install -D "$parts/\${files[to] ?? "start.c"}" "root\${to}"\`);
      const tar = look(name + ".tar", imageTools, [...copies, 'tar -c -C root -f "$out" .'].join("\\n"), { parts });
      const base = pkgs.startingPoint({ name, packages: [], tree: { kind: "tar", path: \`\${tar}\` } });
      const layers = [{ name: "stage", entries }];
      return pkgs.rootfs({ name, base, identity: { hostName: "x" }, users: [], groups: [], layers }).sharedLibraryCheck;
    };
    const libraries = "/usr/lib/aarch64-linux-gnu";
    return {
      systems: {},
      checks: {},
      packages: {
        get rust() {
          return look("rust", imageTools, 'mkdir "$out"; cp "$program" "$out/program"; cp "$other" "$out/other"; cp "$commanded" "$out/commanded"', { program: product("program"), other: product("other"), commanded: product("commanded") });
        },
        get c() {
          return look("c", imageTools, 'aarch64-linux-gnu-objdump -f "$blink" > "$out"', { blink: product("blink") });
        },
        get java() {
          return look("java", java, 'mkdir "$out"; for jar in greeter commanded; do java -jar "\${!jar}" Ada > "$out/$jar"; jar tf "\${!jar}" > "$out/$jar.entries"; cp "\${!jar}" "$out/$jar.jar"; done', { greeter: product("greeter"), commanded: product("by-command") });
        },
        get frontend() {
          return look("frontend", imageTools, 'cp -r "$frontend" "$out"', { frontend: evalSystem({ pkgs, modules: [heliosCm5] }).config.program.products["helios-frontend"] });
        },
        get lacking() {
          return libraryCheck("lacking", { "/usr/bin/program": "program" });
        },
        get linked() {
          const link = { path: libraries + "/libnone.so.1", type: "symlink", target: "alternative/libnone.so.1" };
          return libraryCheck("linked", { "/usr/bin/program": "program", [libraries + "/alternative/libnone.so.1"]: "libnone.so.1" }, [link]);
        },
        get recommended() {
          return libraryCheck("recommended", { [libraries + "/plugins/plugin.so.0"]: "plugin.so" });
        },
        get authentication() {
          return libraryCheck("authentication", { [libraries + "/security/plugin.so"]: "plugin.so" });
        },
        get ours() {
          return libraryCheck("ours", {}, [{ path: "/usr/lib/plugins/plugin.so", type: "file", source: \`\${parts}/plugin.so\` }]);
        },
        get warned() {
          return look("warned", imageTools, 'cp "$made" "$out"', { made: evalSystem({ pkgs, modules: [judged("warn")] }).config.program.products["judged"] });
        },
        get required() {
          return look("required", imageTools, 'cp "$made" "$out"', { made: evalSystem({ pkgs, modules: [judged("required")] }).config.program.products["judged"] });
        },
      },
    };
  },
});
export default flake;
await main(flake, import.meta.url);
`;

t.setTimeout(1_500_000);

t.test("artifacts", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText });
  await copyFile(join(root, "flake.lock"), join(directory, "flake.lock"));
  await cp(join(root, "tests/fixtures/programs"), directory, { recursive: true });
  const run = (...args: string[]) => helios(args, { flake: join(directory, "flake.ts"), cwd: directory });
  const build = async (name: string) => {
    const result = await run("build", `.#${name}`, "--no-link", "--json");
    t.equal(result.code, 0, `${name} builds\n${result.stderr}`);
    return (JSON.parse(result.stdout) as [{ outputs: { out: { file: string } } }])[0].outputs.out.file;
  };
  const started = (stderr: string): string[] =>
    stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { type: string; name: string })
      .flatMap(({ type, name }) => (type === "build-started" ? [name] : []));

  t.test("of Rust are arm64 programs, also with a vendored crate or by a command", async (t) => {
    const made = await build("rust");
    for (const name of ["program", "other", "commanded"]) {
      const header = await readFile(join(made, name));
      t.strictSame([header.subarray(1, 4).toString(), header.readUInt16LE(18)], ["ELF", 183], name);
    }
  });

  t.test("of one workspace are built again only when their own crates change", async (t) => {
    await build("rust");
    const file = join(directory, "rust/other/src/main.rs");
    await writeFile(file, (await readFile(file, "utf8")).replace("another program", `program ${Date.now()}`));
    const changed = await run("build", ".#rust", "--no-link", "--progress", "json");
    t.equal(changed.code, 0, changed.stderr);
    const built = started(changed.stderr);
    t.ok(built.includes("other") && built.includes("check-cargo-test"), built.join(" "));
    t.notOk(built.includes("program"), "the other program is not");
  });

  t.test("of Rust do not come to be when their tests fail", async (t) => {
    const file = join(directory, "rust/program/src/main.rs");
    const before = await readFile(file, "utf8");
    await writeFile(file, before.replace("42", "43"));
    const failed = await run("build", ".#rust", "--no-link");
    await writeFile(file, before);
    t.equal(failed.code, 1, failed.stderr);
    t.match(failed.stderr, /the_vendored_crate_answers/);
    t.match(failed.stderr, /the check 'cargo-test' failed with exit code 101/);
  });

  t.test("of C are arm64 programs", async (t) => {
    t.match(await readFile(await build("c"), "utf8"), /elf64-littleaarch64/);
  });

  t.test("of Java run, and are packed in one order with one time, by whatever command", async (t) => {
    const made = await build("java");
    for (const name of ["greeter", "commanded"]) {
      t.equal(await readFile(join(made, name), "utf8"), "hello from a jar\nAda\n", name);
      t.strictSame(
        (await readFile(join(made, `${name}.entries`), "utf8")).trim().split("\n"),
        ["META-INF/MANIFEST.MF", "greeting.txt", "org/example/Greeter.class", "org/example/Name.class"],
        name,
      );
      // Local headers: signature, four fields of two bytes, then MS-DOS time and date.
      const jar = await readFile(join(made, `${name}.jar`));
      const times = new Set<string>();
      for (let at = jar.indexOf("PK\x03\x04"); at >= 0; at = jar.indexOf("PK\x03\x04", at + 4))
        times.add(
          `${jar.readUInt16LE(at + 12) >> 9}-${(jar.readUInt16LE(at + 12) >> 5) & 15}-${jar.readUInt16LE(at + 12) & 31} ${jar.readUInt16LE(at + 10)}`,
        );
      t.strictSame([...times], ["0-1-1 1"], `${name}: 1980-01-01 00:00:02 for all`);
    }
  });

  t.test("of Node are bundled with packages of the npm registry", async (t) => {
    const made = await build("frontend");
    const script = await readFile(join(made, "page.js"), "utf8");
    t.notMatch(script, /\bimport\b/);
    t.match(script, /\/api\/state/);
    t.match(await readFile(join(made, "index.html"), "utf8"), /src="\/page\.js"/);
    t.ok((await readFile(join(made, "style.css"), "utf8")).split("\n").length <= 2);
  });

  t.test("find their libraries, or the root file system is refused", async (t) => {
    for (const [name, file] of [
      ["lacking", "usr/bin/program"],
      ["authentication", "usr/lib/aarch64-linux-gnu/security/plugin.so"],
      ["ours", "usr/lib/plugins/plugin.so"],
    ] as const) {
      const refused = await run("build", `.#${name}`, "--no-link");
      t.equal(refused.code, 1, refused.stderr);
      t.match(
        refused.stderr,
        `error: /${file} needs the library libnone.so.1, which no package, program or file provides`,
      );
    }
    t.match(
      await readFile(await build("linked"), "utf8"),
      /^2 programs and libraries need 1 libraries; all are there$/m,
    );
    t.equal(
      (await readFile(await build("recommended"), "utf8")).split("\n")[0],
      "left out: /usr/lib/aarch64-linux-gnu/plugins/plugin.so.0, which nothing needs, would need the library libnone.so.1",
    );
  });

  t.test("whose check fails come to be with a warning, or not at all, by policy", async (t) => {
    const warned = await run("build", ".#warned", "--no-link");
    t.equal(warned.code, 0, warned.stderr);
    t.match(warned.stderr, /warning: check-taste: the check 'taste' failed with exit code 3, which the policy 'warn'/);
    const required = await run("build", ".#required", "--no-link");
    t.equal(required.code, 1, required.stderr);
    t.match(required.stderr, /found a flaw[^]*error: the check 'taste' failed with exit code 3/);
  });
});
