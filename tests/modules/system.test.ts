/** The systems of this repository, and the profiles that they are made from. */
import t from "tap";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { tokenTargets } from "#lib/derivations/token.ts";
import {
  checkAssertions,
  type Config,
  definedToml,
  defineModule,
  documentOptions,
  lintSystem,
  type Module,
  toJson,
  undescribed,
} from "#lib/evaluator/index.ts";
import { evalSystem } from "#modules/index.ts";
import { localSource } from "#pkgs/tree.ts";
import cloud from "#profiles/cloud.ts";
import development from "#profiles/development.ts";
import hardened from "#profiles/hardened.ts";
import minimal from "#profiles/minimal.ts";
import cloudSystem from "../../systems/cloud.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";
import heliosDevelopment from "../../systems/helios-development.ts";
import greeter from "../fixtures/profiles/greeter.ts";
import { evaluate, evaluateHelios, failureOf, messageOf, pkgs } from "./support.ts";

// Not a literal, so that the compiler does not follow it: the file is wrong on purpose.
const misspelt = async (): Promise<Module> =>
  ((await import(join(import.meta.dirname, "../fixtures/profiles/misspelt.ts"))) as { readonly default: Module })
    .default;

/** The file of a configuration at a path of the image. */
const staged = (config: Config, dst: string) => config.stage.files.find((file) => file.dst === dst);

t.test("units, links and presets of helios-cm5 are as in the golden files", async (t) => {
  const config = evaluateHelios();
  const golden = join(import.meta.dirname, "golden/helios-cm5");
  const files = (await readdir(golden, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  t.ok(files.length >= 5);
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name);
    const dst = path.slice(golden.length);
    t.equal(staged(config, dst)?.content, await readFile(path, "utf8"), dst);
  }
  t.equal(
    staged(config, "/etc/systemd/system/sockets.target.wants/helios-engine.socket")?.link,
    "/etc/systemd/system/helios-engine.socket",
  );
  t.equal(
    staged(config, "/etc/systemd/system/multi-user.target.wants/ssh.service")?.link,
    "/usr/lib/systemd/system/ssh.service",
  );
});

t.test("the tasks of the guide are those of the system, each with what it gives", async (t) => {
  const { tasks, build } = evaluateHelios().system;
  const guide = [
    "core.init",
    "program.rust.artifacts",
    "program.install.stage",
    "stage.render",
    "buildroot.rpi.validate",
    "buildroot.rpi.prepare",
    "buildroot.fetch",
    "buildroot.configure",
    "buildroot.build",
    "core.barrier.stage",
    "buildroot.collect",
  ];
  t.strictSame(
    tasks.map(({ id }) => id).filter((id) => !/^program[.](lint|custom|java)[.]/.test(id)),
    guide,
    "in its order",
  );
  t.strictSame(tasks.find(({ id }) => id === "stage.render")?.derivations, [build.stage.file]);
  t.strictSame(tasks.find(({ id }) => id === "buildroot.collect")?.derivations, [build.image, build.result]);
  const programs = tasks.find(({ id }) => id === "program.rust.artifacts")?.derivations.map(({ name }) => name) ?? [];
  t.ok(programs.includes("helios-engine") && programs.includes("daedalus-led"), programs.join(" "));
});

t.test("a text changes the stage and no program's place; what is only recorded changes no image", async (t) => {
  const before = evaluateHelios().system.build;
  const text = defineModule({ config: { stage: { files: [{ dst: "/etc/text", content: "x" }] } } });
  const { stage, install, image } = evaluateHelios(text).system.build;
  t.equal(install.file, before.install.file);
  t.not(stage.file, before.stage.file);
  t.not(image, before.image);
  const recorded = evaluateHelios(defineModule({ config: { buildroot: { version: "2025.11" } } })).system.build;
  t.match(recorded.result.env.get("resolved"), 'version = "2025.11"');
  t.equal(recorded.image, before.image);
  t.not(recorded.result, before.result);
});

t.test("an image is packed in the format that is asked for, as a step of its own", async (t) => {
  const packed = (archive_format: string, archive_mode = "image", archive_name: string | null = null) => {
    const values = { archive_format, archive_mode, archive_name } as { archive_format: "none"; archive_mode: "all" };
    const { build } = evaluateHelios(defineModule({ config: { buildroot: values } })).system;
    const linked = build.result.env.get("linked") ?? "";
    const targets = tokenTargets(linked).flatMap((each) => (each._tag === "DerivationOutput" ? [each.derivation] : []));
    return { image: build.image, archive: targets.find((each) => each !== build.image)?.env };
  };
  const plain = packed("none");
  t.equal(plain.archive, undefined);
  t.equal(packed("img").archive, undefined, "the image itself");
  const { image, archive } = packed("img.xz", "image", "{build}-{version}.img");
  t.equal(image, plain.image);
  t.match(archive?.get("archive"), /^helios-cm5-.*[0-9]\.img\.xz$/);
  t.strictSame([archive?.get("content"), archive?.get("compression")], ["image", "xz"]);
  t.match(packed("tzst", "all", "all").archive?.get("archive"), /^all\.tar\.zst$/);
  t.equal(packed("tar", "all").archive?.get("content"), "tar-of-all");
  t.equal(packed("tar", "image").archive?.get("content"), "tar-of-image");
  t.throws(() => packed("gz", "all"), /archive_format: 'gz' holds an image alone, and archive_mode is 'all'/);
});

t.test("a profile adds a user, a unit and a file", async (t) => {
  const config = evaluateHelios(greeter);
  t.equal(config.users.ids.users["greeter"], 800);
  t.equal(staged(config, "/etc/greeting")?.content, "hello\n");
  t.match(
    staged(config, "/etc/systemd/system/greeter.service")?.content,
    /^ExecStart=\/usr\/bin\/cat \/etc\/greeting$/m,
  );
  t.match(staged(config, "/etc/systemd/system-preset/00-helios.preset")?.content, /^enable greeter.service$/m);
  t.strictSame(checkAssertions(config), []);
});

t.test("a resolved configuration is a module that makes the same image", async (t) => {
  const directory = join(import.meta.dirname, "../..");
  const profile = defineModule({
    config: {
      inputs: { options: { channel: { choices: ["stable", "edge"], default: "stable" } } },
      users: { users: { greeter: { hashedPassword: "$6$salt$hash" } } },
      stage: { files: [{ dst: "/etc/own", src: join(import.meta.dirname, "../fixtures/profiles/blink/blink.c") }] },
    },
  });
  const given = { set: { channel: "edge" }, environment: {} };
  const first = evalSystem({ pkgs, modules: [heliosCm5, greeter, profile], directory, given }).config;
  const text = definedToml(first.system.resolved);
  t.notMatch(text, directory, "no path of this machine");
  const slashed = evalSystem({
    pkgs,
    modules: [heliosCm5, greeter, profile],
    directory: `${directory}/`,
    given,
  }).config;
  t.equal(definedToml(slashed.system.resolved), text, "with a slash at the end of the directory too");
  t.notMatch(text, "$6$salt", "no password, hashed or not");
  t.match(text, 'workspace_dir = "pkgs/helios/backend"');
  const elsewhere = definedToml(
    evalSystem({ pkgs, modules: [heliosCm5], directory: "/nowhere" }).config.system.resolved,
  );
  t.match(elsewhere, 'workspace_dir = "@helios-flake/pkgs/helios/backend"');
  t.notMatch(elsewhere, directory);
  // The same words, as a path of the image.
  const inImage = defineModule({ config: { stage: { files: [{ dst: `${directory}/x`, content: "" }] } } });
  t.match(
    definedToml(evalSystem({ pkgs, modules: [heliosCm5, inImage], directory }).config.system.resolved),
    `dst = "${directory}/x"`,
  );
  t.match(text, '[inputs.values]\nchannel = "edge"');
  t.match(text, /^# Left out, since a data file cannot say it: tests\.boot, .*users\.users\.greeter\.hashedPassword\n/);

  const file = join(t.testdir({ "resolved.toml": text }), "resolved.toml");
  const password = defineModule({ config: { users: { users: { greeter: { hashedPassword: "$6$salt$hash" } } } } });
  const { config } = evalSystem({ pkgs, modules: [file as unknown as Module, password], directory });
  t.equal(config.system.build.image, first.system.build.image, "the same derivation");
  t.equal(definedToml({ ...config.system.resolved, omitted: first.system.resolved.omitted }), text);
});

t.test("a misspelt option fails evaluation with file, line and suggestion", async (t) => {
  const wrong = await misspelt();
  t.throws(() => evaluateHelios(wrong).networking.hostName, {
    message: /networking\.hostname[^]*misspelt\.ts:5[^]*hostName/,
  });
});

t.test("a misspelt option fails the compiler on the token", async (t) => {
  // The program itself: the test runner puts hooks into every Node process that a test starts.
  const locator = join(import.meta.dirname, "../../node_modules/typescript-native/lib/getExePath.js");
  const { default: compiler } = (await import(locator)) as { readonly default: () => string };
  const project = join(import.meta.dirname, "../fixtures/profiles/misspelt.tsconfig.json");
  const result = await promisify(execFile)(compiler(), ["--noEmit", "--pretty", "false", "-p", project]).then(
    () => ({ stdout: "", stderr: "no error" }),
    (error: { readonly stdout: string; readonly stderr: string }) => error,
  );
  const errors = result.stdout
    .trim()
    .split("\n")
    .filter((line) => /^\S/.test(line));
  t.equal(errors.length, 1, `${result.stdout}${result.stderr}`);
  t.match(errors[0], /misspelt\.ts\(5,19\): error TS\d+: .*'hostname' does not exist/);
});

t.test("what cannot work is refused, all of it together", async (t) => {
  const config = evaluateHelios(
    defineModule({
      config: {
        services: {
          units: {
            "a.service": { wantedBy: ["multi-user.target"] },
            "b.socket": { service: { ExecStart: "/usr/bin/b" }, socket: { ListenStream: "1" } },
          },
        },
        program: { install: { items: [{ artifact: "helios-engin", dest: "/usr/bin/x" }] } },
        stage: {
          files: [
            { dst: "/etc/x", content: "a", link: "/b" },
            { dst: "/etc/motd", content: "mine" },
          ],
        },
      },
    }),
  );
  const message = await Promise.resolve()
    .then(() => checkAssertions(config))
    .catch((error: Error) => error.message);
  t.match(message, /"a\.service": a service needs service\.ExecStart/);
  t.match(message, /"b\.socket": a \.socket cannot have the section service/);
  t.match(message, /'helios-engin', which nothing builds\. There are: .*helios-engine/);
  t.match(message, /'\/etc\/x' needs exactly one of content, src and link/);
  t.match(message, /'\/etc\/motd' has more than one writer: .*profiles\/helios.* and .*system\.test\.ts/);
});

t.test("numbers of users stay in their ranges and never collide", async (t) => {
  const config = evaluateHelios(
    defineModule({
      config: { users: { users: { zoe: {}, ada: {}, daemon2: { isSystemUser: true }, fixed: { uid: 1001 } } } },
    }),
  );
  t.strictSame(
    { ...config.users.ids.users },
    { ada: 1002, daemon2: 800, fixed: 1001, helios: 1000, "helios-api": 850, root: 0, zoe: 1003 },
  );
});

const golden = join(import.meta.dirname, "golden/helios");

t.test("HeliOS's units, drop-ins and environment files are as in the golden files", async (t) => {
  const { files } = evaluateHelios().stage;
  const ours = files.filter(
    ({ dst, content }) =>
      content !== null && /\/(helios-|var-lib-helios|10-usb0|90-helios-)|\/etc\/(helios|issue\.d)\//.test(dst),
  );
  const names = (await readdir(golden, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(golden.length));
  t.strictSame(names.sort(), ours.map(({ dst }) => dst).sort(), "no file more, none less");
  for (const { dst, content } of ours) t.equal(content, await readFile(join(golden, dst), "utf8"), dst);
});

t.test("every program that a HeliOS unit starts is installed", async (t) => {
  const config = evaluateHelios();
  t.strictSame(checkAssertions(config), []);
  const installed = new Set(config.program.install.items.map(({ dest }) => dest));
  const started = Object.entries(config.services.units).flatMap(([name, { service }]) =>
    name.startsWith("helios-") &&
    typeof service.ExecStart === "string" &&
    service.ExecStart.startsWith("/usr/bin/helios-")
      ? [service.ExecStart.split(" ")[0]]
      : [],
  );
  t.ok(started.length >= 8, `${started.length} programs`);
  for (const program of started) t.ok(installed.has(program ?? ""), `${program} is installed`);
});

t.test("sockets pull their services in, and whoever works in the data directory requires its mount", async (t) => {
  const { units } = evaluateHelios().services;
  for (const name of ["api", "engine", "peripherals", "updater"]) {
    const service = units[`helios-${name}.service`];
    t.equal(service?.unit.Requires, `helios-${name}.socket`);
    t.strictSame([...(service?.also ?? [])], [`helios-${name}.socket`]);
    t.strictSame([...(units[`helios-${name}.socket`]?.wantedBy ?? [])], ["sockets.target"]);
  }
  for (const [name, { service, unit }] of Object.entries(units)) {
    if (service.StateDirectory === "helios") t.equal(unit.RequiresMountsFor, "/var/lib/helios", name);
  }
});

t.test("a profile of the user changes the environment of a program", async (t) => {
  const config = evaluateHelios(
    defineModule({ config: { stage: { env: { sets: { "helios-engine": { HELIOS_EXTRA: "yes" } } } } } }),
  );
  const unit = config.stage.files.find(({ dst }) => dst === "/etc/systemd/system/helios-engine.service");
  t.match(unit?.content, /^Environment=HELIOS_EXTRA=yes$/m);
});

t.test("no HeliOS program is built for the target before the tests of all of them pass", async (t) => {
  const config = evaluateHelios();
  const { artifacts } = config.program.rust;
  t.ok(artifacts.length >= 10);
  t.equal(config.program.check_policy, "required");
  for (const { id } of artifacts) {
    const [made] = tokenTargets(config.program.products[id] ?? "");
    const [check] = tokenTargets(made?._tag === "DerivationOutput" ? (made.derivation.env.get("checks") ?? "") : "");
    t.match(check, { derivation: { name: "check-helios-tests" } }, id);
  }
});

t.test("every option that users see has a description", async (t) => {
  const documented = documentOptions(evalSystem({ pkgs, modules: [] }));
  t.ok(documented.length > 100, `${documented.length} options`);
  t.strictSame(undescribed(documented), []);
});

t.test("every option of the vocabulary whose type does not list its values has an example", async (t) => {
  const vocabulary = /^(build|workspace|inputs|buildroot|program|stage|boot|users|locale|image)\./;
  // Directives of systemd-networkd are systemd's own, and described there.
  const networking = /^networking\.(?!networkd\.)/;
  const without = documentOptions(evalSystem({ pkgs, modules: [] }))
    .filter(({ name, internal, visible }) => internal !== true && visible !== false && !name.endsWith("ids.users"))
    .filter(({ name }) => vocabulary.test(name) || networking.test(name))
    .filter(({ example, readOnly }) => example === undefined && readOnly !== true)
    .filter(({ type }) => !/boolean|one of|enum|submodule/.test(JSON.stringify(type)));
  t.strictSame(
    without.map(({ name }) => name),
    [],
  );
});

for (const [name, system] of Object.entries({
  "helios-cm5": heliosCm5,
  "helios-development": heliosDevelopment,
  cloud: cloudSystem,
})) {
  t.test(`the lints find nothing in ${name}`, (t) => {
    const lints = lintSystem(evalSystem({ pkgs, modules: [system] }));
    t.strictSame(
      lints.map(({ option, rule, places }) => `${option}: ${rule} (${places.join(", ")})`),
      [],
    );
    t.end();
  });
}

t.test("profiles", async (t) => {
  t.test("each profile goes with each other and with HeliOS, without an error or a warning", async (t) => {
    const sets: Readonly<Record<string, Module[]>> = {
      minimal: [minimal],
      "minimal, hardened": [minimal, hardened],
      "minimal, development": [minimal, development],
      cloud: [cloud],
      "cloud, hardened": [cloud, hardened],
      "helios, hardened": [heliosCm5, hardened],
      "helios, development": [heliosCm5, development],
      "minimal, development, hardened": [minimal, development, hardened],
    };
    for (const [name, modules] of Object.entries(sets)) t.strictSame(checkAssertions(evaluate(...modules)), [], name);
  });

  t.test("minimal has no way in by network, and no account but root, whose password is locked", async (t) => {
    const config = evaluate(minimal);
    t.notOk(config.services.openssh.enable);
    t.strictSame(Object.keys(config.users.users), ["root"]);
    t.equal(config.users.users["root"]?.hashedPassword, null);
  });

  t.test("hardened wins over what development loosens", async (t) => {
    const config = evaluate(minimal, development, hardened);
    t.match(staged(config, "/etc/sysctl.d/60-helios.conf")?.content, /^kernel\.dmesg_restrict *= *1$/m);
    t.match(staged(config, "/etc/sysctl.d/60-helios.conf")?.content, /^kernel\.core_pattern *= *\|\/bin\/false$/m);
    t.match(staged(config, "/etc/ssh/sshd_config.d/10-helios.conf")?.content, /^PermitRootLogin no$/m);
    t.match(staged(config, "/etc/systemd/system/tmp.mount.d/50-helios.conf")?.content, /^Options=.*noexec/m);
    t.match(staged(config, "/etc/systemd/system/service.d/10-hardened.conf")?.content, /^LockPersonality=yes$/m);
  });

  t.test("development has a person who may do everything, and tools", async (t) => {
    const config = evaluate(heliosCm5, development);
    t.ok(config.users.users["developer"]?.extraGroups.includes("sudo"));
    t.match(staged(config, "/etc/sudoers.d/10-development"), { mode: "0440", content: /NOPASSWD/ });
    for (const name of ["strace", "sudo", "tcpdump"])
      t.ok(config.buildroot.starting_point.packages.install.includes(name), name);
    t.notOk(evaluate(heliosCm5).buildroot.starting_point.packages.install.includes("strace"));
  });

  t.test("a cloud image has nobody's key or password in it, and says where it is told them", async (t) => {
    const config = evaluate(cloud);
    t.strictSame(
      Object.values(config.users.users).flatMap(({ authorizedKeys }) => authorizedKeys),
      [],
    );
    t.strictSame(
      Object.values(config.users.users).flatMap(({ hashedPassword }) => hashedPassword ?? []),
      [],
    );
    t.match(
      staged(config, "/etc/systemd/system/account-passwords.service")?.content,
      /^LoadCredential=admin:passwd\.hashed-password\.admin$/m,
    );
    t.match(
      staged(config, "/etc/systemd/system/cloud-keys.service")?.content,
      /^ImportCredential=ssh\.authorized_keys\.\*$/m,
    );
    t.match(config.boot.kernelParams.at(-1), /^console=ttyAMA0/);
  });
});

t.test("secrets", async (t) => {
  t.test("a unit is told where its secrets are, and the secret itself cannot be written", async (t) => {
    const service = { service: { ExecStart: "/usr/bin/true" } };
    const unit = (given: object) =>
      ({ config: { services: { units: { "a.service": { ...service, ...given } } } } }) as Module;
    const config = evaluate(
      unit({ credentials: { token: { file: "/etc/credstore/token" }, cert: { file: "site.cert" } } }),
    );
    t.match(
      staged(config, "/etc/systemd/system/a.service")?.content,
      /LoadCredential=cert:site\.cert\nLoadCredential=token:\/etc\/credstore\/token\n/,
    );
    t.throws(() => evaluate(unit({ credentials: { token: "hunter2" } })).stage.files, {
      message: /credentials\.token[^]*a secret is never written out; give \{ file \}/,
    });
    t.match(messageOf(unit({ credentials: { token: { environment: "TOKEN" } } })), /'token' needs \{ file \}/);
    t.throws(() => `${config.services.units["a.service"]?.credentials["token"]}`, /cannot become part of a string/);
    t.throws(() => JSON.stringify(config.services.units["a.service"]?.credentials), /cannot be serialised/);
    t.throws(() => toJson(config.services.units["a.service"]?.credentials ?? {}), /cannot be serialised/);
  });

  t.test("a secret in the clear is an error that names it, and never shows it", async (t) => {
    const config = {
      stage: {
        env: {
          sets: { api: { API_TOKEN: "hunter2", TOKEN_FILE: "/run/token" } },
          files: [
            {
              path: "/etc/helios/user.env",
              sets: ["api"],
              vars: { SYSTEM_USER_PASSWORD: "hunter2", SYSTEM_USER: "pi" },
            },
          ],
        },
        files: [{ dst: "/etc/key", content: "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2" }],
      },
      services: {
        units: { "a.service": { service: { ExecStart: "/usr/bin/true", Environment: ["DB_PASSWORD=hunter2"] } } },
      },
      buildroot: { symbols: { TARGET_GENERIC_ROOT_PASSWD: "hunter2" } },
    };
    const message = messageOf({ name: "clear", config } as Module);
    for (const expected of [
      /stage\.env\.sets\.api: API_TOKEN has a secret in the clear/,
      /'\/etc\/helios\/user\.env': SYSTEM_USER_PASSWORD has a secret in the clear/,
      /'\/etc\/key' has a private key in the clear/,
      /"a\.service": DB_PASSWORD has a secret/,
      /buildroot\.symbols\.TARGET_GENERIC_ROOT_PASSWD: is a password in the clear/,
    ])
      t.match(message, expected);
    t.notMatch(message, /hunter2|TOKEN_FILE|SYSTEM_USER:/);
    const hash = defineModule({
      config: { buildroot: { symbols: { TARGET_GENERIC_ROOT_PASSWD: "$$6$$salt$$hash" } } },
    });
    t.equal(messageOf(hash), "");
  });

  t.test("an account's password is a hash, and in one place", async (t) => {
    const user = (given: object) => ({ config: { users: { users: { ada: given } } } }) as Module;
    t.throws(() => evaluate(user({ hashedPassword: "hunter2" })).users.users["ada"]?.hashedPassword, /hashedPassword/);
    t.match(
      messageOf(user({ hashedPassword: "$y$j9T$a$b", hashedPasswordFrom: { file: "ada" } })),
      /cannot both decide the password/,
    );
  });
});

t.test("a local file may have any name, and its place in the store one that is allowed there", async (t) => {
  for (const [path, name] of [
    ["/srv/f ü.txt", "f-.txt"],
    ["/srv/.env", "env"],
    ["/srv/日本", "-"],
    ["/srv/...", "source"],
    ["/", "source"],
    ["/srv/plain-1.0_x+y=z?/", "plain-1.0_x+y=z?"],
    [`/srv/${"n".repeat(240)}`, "n".repeat(211)],
  ] as const) {
    t.equal(localSource(path).name, name, path);
  }
  const config = evaluate(defineModule({ config: { stage: { files: [{ dst: "/etc/x", src: "/srv/f ü.txt" }] } } }));
  t.ok(config.system.build.stage);
});

t.test("local files of a flake are looked for before a build", async (t) => {
  const directory = t.testdir({ d: { x: "" }, f: "" });
  const said = (config: object): string =>
    failureOf(() => evalSystem({ pkgs, directory, modules: [{ file: "own.ts", config } as Module] }).config);
  const files = (src: string, recursive: boolean): string =>
    said({ stage: { files: [{ dst: "/etc/x", src, recursive }] } });
  t.match(
    files("nope", false),
    /stage\.files: '\/etc\/x': src \(in own\.ts\): cannot read .*\/nope: there is no such file/,
  );
  t.match(files("d", false), /d is a directory, not a file\. Set recursive/);
  t.match(files("f", true), /f is a file, not a directory\. Leave recursive away/);
  t.equal(files("d", true), "");
  t.equal(files("f", false), "");
  const lock = {
    program: {
      custom: { artifacts: [{ id: "a", cwd: "d", build_command: ["x"], output_path: "x", npm_lock: "nope" }] },
    },
  };
  t.match(
    said(lock),
    /'a': npm_lock \(in own\.ts\): cannot read .*there is no such file.*npm install --package-lock-only/,
  );
  t.match(
    failureOf(() => evaluate({ config: { ...lock, workspace: { root_dir: directory } } } as Module)),
    /'a': npm_lock .*there is no such file/,
  );
});
