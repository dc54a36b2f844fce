import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

/** Keys that compare, as udev(7) lists them; braces hold an attribute's or property's name. */
const matchKey =
  /^(ACTION|DEVPATH|KERNELS?|NAME|SYMLINK|SUBSYSTEMS?|DRIVERS?|TAGS?|PROGRAM|RESULT|(ATTRS?|SYSCTL|ENV|CONST)\{[^{}"\s]+\}|TEST(\{[0-7]+\})?|IMPORT\{(program|builtin|file|db|cmdline|parent)\})$/;
/** Keys that assign. */
const assignKey =
  /^(NAME|SYMLINK|OWNER|GROUP|MODE|LABEL|GOTO|TAG|OPTIONS|(ATTR|SYSCTL|ENV)\{[^{}"\s]+\}|SECLABEL\{[^{}"\s]+\}|RUN(\{(program|builtin)\})?|IMPORT\{(program|builtin|file|db|cmdline|parent)\})$/;

const value = types.either(types.singleLineStr, types.listOf(types.singleLineStr));
const values = (description: string) => mkOption({ type: types.attrsOf(value), default: {}, description });

const ruleOptions = {
  comment: mkOption({ type: types.nullOr(types.singleLineStr), default: null, description: "What the rule is for." }),
  match: values("What must hold: key to pattern, such as `SUBSYSTEM` or `ATTRS{idVendor}`. A list: all of them."),
  matchNot: values("What must not hold."),
  set: values("What is set: `NAME`, `MODE`, `GROUP`, `ENV{…}` …"),
  add: values("What is added to: `SYMLINK`, `TAG`, `RUN`, `ENV{SYSTEMD_WANTS}` …"),
  final: values("What is set, and cannot be set again by later rules."),
};

const options = {
  services: {
    udev: {
      rules: mkOption({
        type: types.attrsOf(types.listOf(types.either(types.singleLineStr, types.submodule({ options: ruleOptions })))),
        default: {},
        example: {
          "70-helios-serial": [
            {
              match: { SUBSYSTEM: "tty", "ATTRS{idVendor}": "2e8a" },
              add: { SYMLINK: "helios-serial" },
              set: { GROUP: "dialout" },
            },
          ],
        },
        description:
          "Files /etc/udev/rules.d/NAME.rules. A rule is a record of what it matches and assigns, or a line as udev(7) has it.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    udev: typeof options;
  }
}

/** Rules for devices. */
export default defineModule({
  name: "udev",
  options,
  config: {
    stage: {
      files: (config) =>
        Object.entries(config.services.udev.rules).map(([name, rules]) => ({
          dst: `/etc/udev/rules.d/${name}.rules`,
          content: rules.map(renderRule).join(""),
        })),
    },
    assertions: (config) =>
      Object.entries(config.services.udev.rules).flatMap(([name, rules]) =>
        rules.flatMap((rule, index) =>
          (typeof rule === "string" ? [] : problems(rule)).map((problem) => ({
            assertion: false,
            message: `services.udev.rules."${name}", rule ${index + 1}: ${problem}`,
          })),
        ),
      ),
  },
});

type Values = Readonly<Record<string, string | readonly string[]>>;

interface Rule extends Readonly<Record<"match" | "matchNot" | "set" | "add" | "final", Values>> {
  readonly comment: string | null;
}

/** One rule as udev(7) writes it, on one line. */
function renderRule(rule: string | Rule): string {
  if (typeof rule === "string") return `${rule}\n`;
  const clauses = [
    ...clausesOf(rule.match, "=="),
    ...clausesOf(rule.matchNot, "!="),
    ...clausesOf(rule.set, "="),
    ...clausesOf(rule.add, "+="),
    ...clausesOf(rule.final, ":="),
  ];
  return `${rule.comment === null ? "" : `# ${rule.comment}\n`}${clauses.join(", ")}\n`;
}

function clausesOf(values: Values, operator: string): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map((item) => `${key}${operator}"${item.replaceAll('"', '\\"')}"`),
  );
}

function problems(rule: Rule): string[] {
  const matches = [...Object.keys(rule.match), ...Object.keys(rule.matchNot)];
  const assigns = [...Object.keys(rule.set), ...Object.keys(rule.add), ...Object.keys(rule.final)];
  return [
    ...matches.filter((key) => !matchKey.test(key)).map((key) => `udev cannot match by '${key}'.`),
    ...assigns.filter((key) => !assignKey.test(key)).map((key) => `udev cannot assign '${key}'.`),
    ...(matches.length + assigns.length === 0 ? ["it says nothing."] : []),
  ];
}
