import t from "tap";
import { evaluate, messageOf } from "./support.ts";
import { checkAssertions, defineModule, type Module, toJson } from "#lib/evaluator/index.ts";
import cloud from "#profiles/cloud.ts";
import development from "#profiles/development.ts";
import hardened from "#profiles/hardened.ts";
import minimal from "#profiles/minimal.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";

const staged = (config: ReturnType<typeof evaluate>, dst: string) =>
  config.stage.files.find((file) => file.dst === dst);

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
          { path: "/etc/helios/user.env", sets: ["api"], vars: { SYSTEM_USER_PASSWORD: "hunter2", SYSTEM_USER: "pi" } },
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
  const hash = defineModule({ config: { buildroot: { symbols: { TARGET_GENERIC_ROOT_PASSWD: "$$6$$salt$$hash" } } } });
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
