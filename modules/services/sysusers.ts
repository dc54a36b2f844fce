import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const accountName = types.strMatching("[a-z_][a-z0-9_-]{0,30}");

const lineOptions = {
  type: mkOption({
    type: types.enum(["u", "u!", "g", "m", "r"]),
    description:
      "`u` makes a user and a group, `u!` a locked one, `g` a group, `m` puts a user into a group, `r` reserves numbers.",
  }),
  name: mkOption({
    type: types.either(accountName, types.enum(["-"])),
    description: "Name of the user or group; `-` for a range.",
  }),
  id: mkOption({
    type: types.nullOr(types.strMatching("[0-9]+([:-][0-9a-z_-]+)?|/[^\\s]+|[a-z_][a-z0-9_-]*")),
    default: null,
    description:
      "Number, `number:group`, a range, a path whose owner is taken, or for `m` the group. Without one, systemd chooses.",
  }),
  description: mkOption({
    type: types.nullOr(types.strMatching('[^:"\\\\\\n]*')),
    default: null,
    description: "What the account is.",
  }),
  home: mkOption({ type: types.nullOr(types.strMatching("/[^\\s]*")), default: null, description: "Home directory." }),
  shell: mkOption({ type: types.nullOr(types.strMatching("/[^\\s]*")), default: null, description: "Login shell." }),
};

const options = {
  services: {
    sysusers: mkOption({
      type: types.attrsOf(types.listOf(types.submodule({ options: lineOptions }))),
      default: {},
      example: { app: [{ type: "u", name: "app", description: "Application" }] },
      description:
        "Files /etc/sysusers.d/NAME.conf: accounts that systemd makes at boot when they are missing. Prefer `users.users`, whose numbers are the same in every image.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    sysusers: typeof options;
  }
}

/** systemd-sysusers. */
export default defineModule({
  name: "sysusers",
  options,
  config: {
    stage: {
      files: (config) =>
        Object.entries(config.services.sysusers).map(([name, lines]) => ({
          dst: `/etc/sysusers.d/${name}.conf`,
          content: lines.map(renderLine).join(""),
        })),
    },
    assertions: (config) =>
      Object.entries(config.services.sysusers).flatMap(([name, lines]) =>
        lines.map(({ type, name: account, id }) => ({
          assertion: (type !== "m" && type !== "r") || id !== null,
          message: `services.sysusers."${name}": the line '${type} ${account}' needs id: ${type === "m" ? "the group that the user joins" : "the range of numbers"}.`,
        })),
      ),
  },
});

/** One line of sysusers.d(5), without the columns at its end that say nothing. */
function renderLine(line: {
  readonly type: string;
  readonly name: string;
  readonly id: string | null;
  readonly description: string | null;
  readonly home: string | null;
  readonly shell: string | null;
}): string {
  const description = line.description === null ? null : `"${line.description}"`;
  const columns = [line.type, line.name, line.id, description, line.home, line.shell].map((value) => value ?? "-");
  while (columns.length > 2 && columns.at(-1) === "-") columns.pop();
  return `${columns.join(" ")}\n`;
}
