import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { evaluate, failureOf } from "./support.ts";
import { isDerivation } from "#lib/derivations/derivation.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { parseHash } from "#lib/derivations/hash.ts";
import { tokenTargets } from "#lib/derivations/token.ts";
import { checkAssertions, defineModule, type Module } from "#lib/evaluator/index.ts";
import blink from "../fixtures/profiles/blink/profile.ts";
import { inputsFrom } from "#modules/inputs/index.ts";
import { holds, type InputOption, isSelected, parseCondition, resolveInputs } from "#modules/inputs/resolve.ts";

const option = (given: Partial<InputOption>): InputOption => ({
  type: null,
  default: null,
  choices: [],
  env: null,
  required: false,
  ...given,
});

t.test(
  "an input's value is that of the command line, else the environment, else the configuration, else its default",
  async (t) => {
    const options = { a: option({ default: 1, env: "A" }) };
    const none = { options, values: {}, set: {}, environment: {} };
    t.strictSame(resolveInputs(none).values, { a: 1 });
    t.strictSame(resolveInputs({ ...none, values: { a: 2 } }).values, { a: 2 });
    t.strictSame(resolveInputs({ ...none, values: { a: 2 }, environment: { A: "3" } }).values, { a: 3 });
    t.strictSame(resolveInputs({ ...none, values: { a: 2 }, environment: { A: "3" }, set: { a: "4" } }).values, {
      a: 4,
    });
  },
);

t.test("only the variables that inputs name become part of a configuration", async (t) => {
  const { inputs } = evaluate(
    defineModule({ config: { inputs: { options: { channel: { env: "CHANNEL" }, other: { env: "OTHER" } } } } }),
    inputsFrom({ environment: { CHANNEL: "edge", TOKEN: "secret" } }),
  );
  t.strictSame(JSON.parse(JSON.stringify(inputs.environment)), { CHANNEL: "edge" });
  t.strictSame(JSON.parse(JSON.stringify(inputs.resolved)), { channel: "edge" });
});

t.test("inputs that are wrong, missing, unknown or collide are all named", async (t) => {
  const config = evaluate(
    defineModule({
      config: {
        inputs: {
          options: {
            count: { type: "int" },
            channel: { choices: ["stable", "edge"] },
            must: { required: true, env: "MUST" },
            "a-b": {},
            a_b: {},
          },
        },
      },
    }),
    inputsFrom({
      set: { count: "1.5", channel: "egde", chanel: "edge" },
      environment: { PATH: "/bin", UNSET: undefined },
    }),
  );
  const message = failureOf(() => config);
  t.match(message, /inputs\.options\.count: "1\.5" from --set is no int/);
  t.match(message, /inputs\.options\.channel: "egde" from --set is none of its choices: "stable", "edge"/);
  t.match(message, /inputs\.options\.must: is required.* --set must=.*variable MUST/);
  t.match(message, /--set: there is no input 'chanel'/);
  t.match(message, /a-b and a_b would both be the variable GAIA_INPUT_A_B/);
});

t.test("conditions compare by the type of the value", async (t) => {
  const values = { on: true, off: "off", count: 0, name: "x", ratio: 1.5 };
  const is = (text: string): boolean | undefined => {
    const condition = parseCondition(text);
    return condition === undefined ? undefined : holds(condition, values);
  };
  t.strictSame(["on", "!on", "off", "count", "name", "missing", "!missing"].map(is), [
    true,
    false,
    false,
    false,
    true,
    false,
    true,
  ]);
  t.strictSame(
    ["on=yes", "on != false", "count=0.0", "name=X", "name!=X", "missing=1", "missing!=1", "ratio = 1.5"].map(is),
    [true, true, true, false, true, false, false, true],
  );
  t.strictSame(["", "!", "a b", "!a=b"].map(is), [undefined, undefined, undefined, undefined]);
});

t.test("what is selected has all of enabled_if and none of disabled_if", async (t) => {
  const values = { a: true, b: true };
  const selected = (enabled_if: string[], disabled_if: string[]) => isSelected({ enabled_if, disabled_if }, values);
  t.strictSame(
    [selected([], []), selected(["a", "b"], ["c"]), selected(["a", "c"], []), selected(["a"], ["c", "b"])],
    [true, true, false, false],
  );
});

const tools = defineModule({
  config: {
    workspace: { root_dir: "/srv/tree", paths: { web: "frontend" } },
    inputs: { options: { camera: { default: false } } },
    program: {
      default_profile: "arm",
      profiles: {
        arm: {
          target: "aarch64-unknown-linux-gnu",
          container_image: "cross-c",
          env: { RUSTFLAGS: "-C target-cpu=cortex-a76", SHARED: "1" },
        },
      },
      checks: [
        { id: "fmt", run: ["cargo", "fmt", "--check"], applies_to: ["rust"] },
        { id: "links", run: ["sh", "-c", "test -f it's"], applies_to: ["lint"] },
      ],
      lint: { check_ids: ["links"] },
      rust: {
        workspace_dir: ".",
        check_ids: ["fmt"],
        artifacts: [
          { id: "api", package: "helios-api", cargo: { profile: { lto: "thin", codegen_units: 1 } } },
          { id: "plugin-a", kind: "cdylib", enabled_if: ["camera"] },
        ],
      },
      custom: {
        artifacts: [
          {
            id: "site",
            cwd: "@web",
            build_command: ["make", "O=it's"],
            output_path: "dist",
            kind: "dir",
            after_artifacts: ["theme", "plugin-x?"],
          },
          { id: "theme", mode: "prebuilt", prebuilt_path: "theme.css" },
          { id: "plugin-x", cwd: "/srv/x", build_command: ["make"], output_path: "x", enabled_if: ["camera"] },
        ],
      },
      install: {
        items: [
          { artifact: "api", dest: "/usr/bin/helios-api" },
          { artifact: "site", dest: "/opt/site", mode: 0o750, owner: "root" },
          { artifact: "plugin-a", dest: "/usr/lib/a.so", mode: "0644", enabled_if: ["camera"] },
        ],
      },
    },
  },
});

const builtBy = (product: string | undefined) => {
  const [target] = tokenTargets(product ?? "");
  const made = (target as { readonly derivation?: unknown } | undefined)?.derivation ?? target;
  return isDerivation(made) ? Object.fromEntries(made.env) : undefined;
};

t.test("artifacts are derivations with the profile's settings, and what is switched off is not there", async (t) => {
  const config = evaluate(tools);
  t.equal(
    failureOf(() => config),
    "",
  );
  t.strictSame(checkAssertions(config), []);
  const { products } = config.program;
  t.strictSame(Object.keys(products).sort(), ["api", "site", "theme"]);
  t.match(products["api"], /\/bin\/helios-api$/);
  const api = builtBy(products["api"]);
  t.match(api, {
    SHARED: "1",
    CARGO_PROFILE_RELEASE_LTO: "thin",
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "1",
    GAIA_INPUT_CAMERA: "false",
    target: "aarch64-unknown-linux-gnu",
    rustFlags: "-C target-cpu=cortex-a76",
  });
  t.equal(String(api?.["checks"]).split(" ").length, 2);
  const site = builtBy(products["site"]);
  t.match(site, {
    command: "'make' 'O=it'\\''s'",
    result: "dist",
    kind: "dir",
    BUILD_TARGET: "aarch64-unknown-linux-gnu",
    ARTIFACT_THEME: products["theme"],
  });
  t.notOk(Object.hasOwn(site ?? {}, "ARTIFACT_PLUGIN_X"));
  const files = config.stage.files.filter(({ dst }) => dst.startsWith("/opt/site") || dst.includes("a.so"));
  t.match(files, [{ dst: "/opt/site", mode: "0750", recursive: true }]);
  const more = evaluate(tools, inputsFrom({ set: { camera: "on" } }));
  t.strictSame(Object.keys(more.program.products).sort(), ["api", "plugin-a", "plugin-x", "site", "theme"]);
  t.ok(Object.hasOwn(builtBy(more.program.products["site"]) ?? {}, "ARTIFACT_PLUGIN_X"));
});

t.test("what cannot be built or installed fails evaluation, all of it together", async (t) => {
  const message = failureOf(() =>
    evaluate(
      defineModule({
        config: {
          program: {
            default_profile: "armm",
            profiles: { arm: { container_image: "docker" }, pc: { target: "x86_64-unknown-linux-gnu" } },
            java: { artifacts: [{ id: "six", cwd: "/x", build_command: ["make"] }] },
            check_policy: "warn",
            rust: {
              workspace_dir: "/srv",
              check_ids: ["nope"],
              artifacts: [
                { id: "a", package: "p" },
                { id: "b", package: "p" },
                { id: "c", workspace_dir: "sub", enabled_if: ["camra"] },
                { id: "seven", kind: "dir" },
                { id: "eight", profile: "pc" },
                { id: "nine", profile: "pc", prebuilt_path: "/x" },
              ],
            },
            custom: {
              artifacts: [
                { id: "a", cwd: "/x", build_command: ["x"], output_path: "x" },
                { id: "one", cwd: "/x", build_command: ["x"], output_path: "x", after_artifacts: ["two"] },
                { id: "two", cwd: "@no/x", build_command: ["x"], output_path: "x", after_artifacts: ["one", "three"] },
                { id: "four", mode: "prebuilt" },
                { id: "five", cwd: "/x", environment: "docker" },
              ],
            },
            install: { items: [{ artifact: "d", dest: "/d" }] },
          },
        },
      }),
    ),
  );
  t.match(message, /the id 'a' is used by more than one artifact/);
  t.match(message, /default_profile: there is no profile 'armm'\. There are: arm/);
  t.match(message, /container_image: there is no environment 'docker'\. There are: cross-c/);
  t.match(message, /'five': there is no environment 'docker'\. There are: cross-c/);
  t.match(message, /'six' needs both build_command and output_path, or neither/);
  t.match(message, /'seven' is of the kind dir, so it needs output_path/);
  t.match(
    message,
    /'eight' is for the target 'x86_64-unknown-linux-gnu' of the profile 'pc', but images are for arm64/,
  );
  t.notMatch(message, "'nine' is for");
  t.match(message, /program\.rust\.check_ids: there is no check 'nope'/);
  t.match(message, /more than one artifact is the same output 'p' of the package 'p'/);
  t.match(message, /'c': 'sub' is relative, and workspace\.root_dir is not set/);
  t.match(message, /condition 'camra' is about the input 'camra'/);
  t.match(message, /in a circle: one → two → one/);
  t.match(message, /'@no\/x' starts with an alias/);
  t.match(message, /'two' comes after 'three', which is no artifact/);
  t.match(message, /'four' has mode prebuilt, so it needs prebuilt_path/);
  t.match(message, /'five' needs build_command and output_path/);
  t.match(message, /artifact 'd', which nothing builds/);
});

t.test("an installed Java archive brings a JRE with all that it needs, unless that is switched off", async (t) => {
  const archive = (java: { readonly runtime?: boolean }, isInstalled = true) =>
    evaluate(
      defineModule({
        config: {
          program: {
            java: { ...java, artifacts: [{ id: "app", cwd: "/x" }] },
            install: { items: isInstalled ? [{ artifact: "app", dest: "/opt/app.jar" }] : [] },
          },
        },
      }),
    ).buildroot.starting_point.packages.install;
  t.match(archive({}), ["openjdk-21-jre-headless", "libasound2t64", "libfreetype6", "libharfbuzz0b"]);
  t.strictSame(archive({ runtime: false }), []);
  t.strictSame(archive({}, false), []);
});

const rev = "0123456789abcdef0123456789abcdef01234567";

/** Every derivation that a text mentions, and theirs. */
function inputsOf(text: string): Derivation[] {
  return tokenTargets(text).flatMap((target) => {
    const mentioned = target._tag === "DerivationOutput" ? target.derivation : target;
    return mentioned._tag === "Derivation" ? [mentioned, ...inputsOf(JSON.stringify([...mentioned.env]))] : [];
  });
}

t.test("an artifact's sources may be a commit of a git repository, fixed by its hash", async (t) => {
  const program = (source: object) =>
    evaluate({ config: { program: { rust: { artifacts: [{ id: "a", source }] } } } } as Module);
  const hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  const config = program({ repo: "https://git.example.org/a.git", rev, hash, subdir: "backend" });
  t.equal(
    failureOf(() => config),
    "",
  );
  const fetched = inputsOf(config.program.products["a"] ?? "").find(({ name }) => name === "a-source");
  t.match(fetched, {
    builder: "builtin:fetch-git",
    env: new Map([
      ["url", "https://git.example.org/a.git"],
      ["revision", rev],
    ]),
    fixedOutput: { mode: "recursive", hash: parseHash(hash) },
  });
  t.match(
    failureOf(() => program({ repo: "r", rev: "main" })),
    /rev[^]*'?main/,
  );
  t.match(
    failureOf(() => program({ repo: "r", rev, subdir: "../other" })),
    /subdir/,
  );
});

t.test("keys that never did anything are errors that say so; a check that never runs is a warning", async (t) => {
  const wrong = defineModule({ config: { program: { profiles: { arm: { linker: "ld" as unknown as null } } } } });
  t.match(
    failureOf(() => evaluate(wrong)),
    /linker[^]*The original never read it/,
  );
  t.match(
    failureOf(() =>
      evaluate({
        config: { program: { rust: { artifacts: [{ id: "a", source: { repo: "r", rev, branch: "main" } }] } } },
      } as Module),
    ),
    /branch[^]*What it names moves[^]*Name a commit in rev/,
  );
  t.match(
    failureOf(() => evaluate({ config: { stage: { services: { allowed_prefixes: ["/usr"] } } } } as Module)),
    /allowed_prefixes[^]*never read it/,
  );
  const config = evaluate(defineModule({ config: { program: { checks: [{ id: "fmt", run: ["true"] }] } } }));
  t.match(checkAssertions(config), [/'fmt' never runs/]);
});

t.test("the scripts of builds keep what is named, and checks fail or warn by policy", async (t) => {
  const directory = await mkdtemp(join(t.testdir(), "x-"));
  await mkdir(join(directory, "source"));
  await writeFile(join(directory, "source/run"), '#!/bin/sh\nmkdir dist; echo "$1" > dist/file\n', { mode: 0o555 });
  const run = (script: string, name: string, env: Record<string, string>) =>
    mkdir(join(directory, name)).then(() =>
      promisify(execFile)("bash", ["-euo", "pipefail", join(import.meta.dirname, "../../modules/program", script)], {
        cwd: join(directory, name),
        env: {
          PATH: process.env["PATH"],
          TMPDIR: directory,
          source: join(directory, "source"),
          sourceCopy: join(import.meta.dirname, "../../pkgs/source-copy.sh"),
          out: join(directory, `${name}.out`),
          ...env,
        },
      }),
    );
  await run("custom.sh", "a", { command: "'./run' 'a  b'", result: "dist", kind: "dir" });
  const { stdout } = await promisify(execFile)("cat", [join(directory, "a.out/file")]);
  t.equal(stdout, "a  b\n");
  const failure = (done: Promise<unknown>) =>
    done.then(
      () => "succeeded",
      (error: { readonly stderr: string }) => error.stderr,
    );
  t.match(
    await failure(run("custom.sh", "b", { command: "'./run'  'x'", result: "dist", kind: "file" })),
    /did not make the file 'dist'/,
  );
  const warned = await run("check.sh", "c", { command: "'false'", check: "fmt", policy: "warn" });
  t.match(warned.stderr, /"msg":"the check 'fmt' failed with exit code 1, which the policy 'warn' lets pass"/);
  t.match(
    await failure(run("check.sh", "d", { command: "'false'", check: "fmt", policy: "required" })),
    /error: the check 'fmt' failed/,
  );
});

t.test("the profile of the guide is as the guide prints it, and builds its program from C", async (t) => {
  const directory = join(import.meta.dirname, "../fixtures/profiles/blink");
  const written = await readFile(join(directory, "profile.ts"), "utf8");
  const guide = await readFile(join(import.meta.dirname, "../../docs/custom-profile.md"), "utf8");
  t.ok(guide.includes(written.slice(written.indexOf("export default"))));
  const config = evaluate(blink);
  t.strictSame(checkAssertions(config), []);
  t.match(builtBy(config.program.products["blink"]), {
    command: /'aarch64-linux-gnu-gcc'/,
    kind: "file",
    result: "blink",
  });
  t.match(
    config.stage.files.find(({ dst }) => dst === "/usr/bin/blink"),
    { mode: "0755", recursive: false },
  );
});
