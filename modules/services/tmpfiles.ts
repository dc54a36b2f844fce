import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const lineTypes = [
  "f",
  "f+",
  "w",
  "w+",
  "d",
  "D",
  "e",
  "v",
  "q",
  "Q",
  "p",
  "p+",
  "L",
  "L+",
  "L?",
  "c",
  "c+",
  "b",
  "b+",
  "C",
  "C+",
  "x",
  "X",
  "r",
  "R",
  "z",
  "Z",
  "t",
  "T",
  "h",
  "H",
  "a",
  "a+",
  "A",
  "A+",
] as const;

const column = (description: string, pattern = "[^\\s\"'\\\\]+") =>
  mkOption({ type: types.nullOr(types.strMatching(pattern)), default: null, description });

const ruleOptions = {
  type: mkOption({
    type: types.enum(lineTypes),
    example: "d",
    description:
      "What is done with the path: `d` makes a directory, `L` a link, `f` a file, `r` removes, `z` sets modes …",
  }),
  modifiers: mkOption({
    type: types.strMatching("[!=~^$-]*"),
    default: "",
    description:
      "Signs after the type: `!` at boot only, `-` failures do not matter, `=` replaces what is of another type …",
  }),
  path: mkOption({
    type: types.strMatching("/[^\\n\\0]*"),
    example: "/run/helios",
    description: "Absolute path on the target; specifiers such as %h are expanded there.",
  }),
  mode: column(
    "Mode, in octal (`~` in front: masked by what there is; `:` in front: only when made).",
    "[~:]*[0-7]{3,4}",
  ),
  user: column("Owner (`:` in front: only when made)."),
  group: column("Group (`:` in front: only when made)."),
  age: column("How old files in it may become: `10d`, `12h` …", "[~0-9a-zA-Z:]+"),
  argument: mkOption({
    type: types.nullOr(types.singleLineStr),
    default: null,
    description: "The link's target, the file's content, the attributes: the rest of the line.",
  }),
};

const options = {
  services: {
    tmpfiles: mkOption({
      type: types.attrsOf(types.listOf(types.submodule({ options: ruleOptions }))),
      default: {},
      example: { helios: [{ type: "d", path: "/run/helios", mode: "0755", user: "root", group: "root" }] },
      description: "Files /etc/tmpfiles.d/NAME.conf: what systemd makes, cleans and removes at boot and now and then.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    tmpfiles: typeof options;
  }
}

/** systemd-tmpfiles. */
export default defineModule({
  name: "tmpfiles",
  options,
  config: {
    stage: {
      files: (config) =>
        Object.entries(config.services.tmpfiles).map(([name, rules]) => ({
          dst: `/etc/tmpfiles.d/${name}.conf`,
          content: rules.map(renderRule).join(""),
        })),
    },
  },
});

interface Rule {
  readonly type: string;
  readonly modifiers: string;
  readonly path: string;
  readonly mode: string | null;
  readonly user: string | null;
  readonly group: string | null;
  readonly age: string | null;
  readonly argument: string | null;
}

/** One line of tmpfiles.d(5), without the columns at its end that say nothing. */
function renderRule({ type, modifiers, path, mode, user, group, age, argument }: Rule): string {
  const columns = [`${type}${modifiers}`, quotePath(path), mode, user, group, age, argument].map(
    (value) => value ?? "-",
  );
  while (columns.at(-1) === "-") columns.pop();
  return `${columns.join(" ")}\n`;
}

function quotePath(path: string): string {
  return /[\s"'\\]/.test(path) ? `"${path.replaceAll(/["\\]/g, "\\$&")}"` : path;
}
