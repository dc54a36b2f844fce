/** Secrets that somebody wrote out: whoever has the image, the store or this repository would have them. */
import { type Config, defineModule } from "#lib/evaluator/index.ts";
import { tolerable } from "./legacy.ts";
import { declaredArtifacts } from "./program/artifacts.ts";

/** Names of variables that hold a secret itself; `..._FILE` says where one is. */
const secretName = /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)$/i;

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

const remedy = "Put it on the machine, and name the place in credentials of the unit that needs it.";

/** Rules about secrets in the clear. */
export default defineModule({
  name: "secrets",
  config: tolerable((config) => [
    ...variables(config).flatMap(([where, name, value]) =>
      secretName.test(name) && value !== "" && !value.startsWith("/")
        ? [`${where}: ${name} has a secret in the clear. ${remedy}`]
        : [],
    ),
    ...config.stage.files
      .filter(({ content }) => content !== null && privateKey.test(content))
      .map(({ dst }) => `stage.files: '${dst}' has a private key in the clear. ${remedy}`),
    ...rootPassword(config),
  ]),
});

/** Environment variables, each with the option that sets it. */
function variables(config: Config): (readonly [where: string, name: string, value: string])[] {
  const { stage, services, program } = config;
  const named = (where: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => [where, name, value] as const);
  return [
    ...Object.entries(stage.env.sets).flatMap(([set, values]) => named(`stage.env.sets.${set}`, values)),
    ...stage.env.files.flatMap(({ path, vars }) => named(`stage.env.files: '${path}'`, vars)),
    ...Object.entries(services.units).flatMap(([name, { environment, service }]) => {
      const where = `services.units."${name}"`;
      const written = service.Environment ?? [];
      return [
        ...named(where, environment),
        ...(typeof written === "string" ? [written] : written).flatMap((assignment) => {
          const [, name, value] = /^"?([A-Za-z0-9_]+)=(.*?)"?$/.exec(assignment) ?? [];
          return name === undefined || value === undefined ? [] : [[where, name, value] as const];
        }),
      ];
    }),
    ...declaredArtifacts(config).flatMap(({ id, env }) => named(`program: the artifact '${id}'`, env)),
    ...Object.entries(program.profiles).flatMap(([name, { env }]) => named(`program.profiles.${name}`, env)),
  ];
}

/** Buildroot takes a hash as well, in which make wants each dollar twice. */
function rootPassword({ buildroot: { symbols } }: Config): string[] {
  return Object.entries(symbols).flatMap(([name, value]) =>
    /^(BR2_)?TARGET_GENERIC_ROOT_PASSWD$/i.test(name) &&
    typeof value === "string" &&
    !/^(\$\$?[0-9a-z]+\$|$)/.test(value)
      ? [
          `buildroot.symbols.${name}: is a password in the clear. Write its hash, as 'mkpasswd' prints it, or leave it out.`,
        ]
      : [],
  );
}
