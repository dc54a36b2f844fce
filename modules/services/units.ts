import { mkOption, types } from "#lib/evaluator/index.ts";
import { section } from "./directive.ts";
import {
  automountDirectives,
  execDirectives,
  killDirectives,
  mountDirectives,
  pathDirectives,
  resourceDirectives,
  serviceDirectives,
  socketDirectives,
  swapDirectives,
  timerDirectives,
  unitDirectives,
} from "./directives.ts";

const unitNames = types.listOf(types.strMatching("[A-Za-z0-9:_.@\\\\-]+\\.[a-z]+"));

/** The sections that a unit file, or a drop-in of one, may have. */
const unitSections = {
  unit: section(unitDirectives, "[Unit]: what every unit can have, see systemd.unit(5)."),
  service: section(
    { ...serviceDirectives, ...execDirectives, ...killDirectives, ...resourceDirectives },
    "[Service] of a `.service`, see systemd.service(5) and systemd.exec(5).",
  ),
  socket: section(socketDirectives, "[Socket] of a `.socket`, see systemd.socket(5)."),
  mount: section(mountDirectives, "[Mount] of a `.mount`, see systemd.mount(5)."),
  automount: section(automountDirectives, "[Automount] of an `.automount`, see systemd.automount(5)."),
  swap: section(swapDirectives, "[Swap] of a `.swap`, see systemd.swap(5)."),
  timer: section(timerDirectives, "[Timer] of a `.timer`, see systemd.timer(5)."),
  path: section(pathDirectives, "[Path] of a `.path`, see systemd.path(5)."),
  slice: section(resourceDirectives, "[Slice] of a `.slice`, see systemd.slice(5)."),
};

/** Options of one unit under `services.units."NAME.TYPE"`. */
export const unitOptions = {
  enable: mkOption({
    type: types.bool,
    default: true,
    description: "Whether the unit is part of the system at all.",
  }),
  vendor: mkOption({
    type: types.bool,
    default: false,
    description:
      "Whether a package ships the unit file. Then only links are made, and the sections given here become a drop-in.",
  }),
  src: mkOption({
    type: types.nullOr(types.str),
    default: null,
    description:
      "Local unit file that is copied as it is, instead of one that is written from the sections here. Absolute, or as paths of `workspace` are.",
  }),
  mask: mkOption({
    type: types.bool,
    default: false,
    description: "Makes the unit impossible to start, by a link to /dev/null.",
  }),
  wantedBy: mkOption({
    type: unitNames,
    default: [],
    example: ["multi-user.target"],
    description: "Units, mostly targets, that start this one along with themselves.",
  }),
  requiredBy: mkOption({ type: unitNames, default: [], description: "Units that cannot start without this one." }),
  aliases: mkOption({ type: unitNames, default: [], description: "Further names of the unit." }),
  also: mkOption({
    type: unitNames,
    default: [],
    description: "Units that `systemctl enable` handles along with this one.",
  }),
  ...unitSections,
  environment: mkOption({
    type: types.attrsOf(types.str),
    default: {},
    description: "Environment variables of a service; they win over those of `envSet`.",
  }),
  envSet: mkOption({
    type: types.nullOr(types.str),
    default: null,
    description: "Name of a set of `stage.env.sets` that the service gets in its environment.",
  }),
  credentials: mkOption({
    type: types.attrsOf(types.secret),
    default: {},
    example: { "api-token": { file: "/etc/credstore/api-token" } },
    description:
      "Secrets that a service finds as files in $CREDENTIALS_DIRECTORY, by name. `file` is an absolute path on the machine, which must be there, or the name of a credential that the machine may be given from outside or have in /etc/credstore (systemd.system-credentials(7)). The secret itself is never part of the configuration or the image.",
  }),
  dropIns: mkOption({
    type: types.attrsOf(
      types.submodule({
        options: {
          ...unitSections,
          extraConfig: mkOption({
            type: types.lines,
            default: "",
            description: "Text added at the end of the drop-in.",
          }),
        },
      }),
    ),
    default: {},
    example: { diagnostics: { unit: { OnFailure: "helios-diagnostics@%n.service" } } },
    description:
      "Drop-ins `<unit>.d/<name>.conf`, by name: for a unit that another module or a package writes, or for a template. A unit with nothing else is not written itself.",
  }),
  extraConfig: mkOption({
    type: types.lines,
    default: "",
    description: "Text added at the end of the unit file, for directives that have no option.",
  }),
};

/** The sections that a unit of each type may have besides [Unit]. */
export const sectionOfType = {
  service: "service",
  socket: "socket",
  mount: "mount",
  automount: "automount",
  swap: "swap",
  timer: "timer",
  path: "path",
  slice: "slice",
  target: undefined,
} as const;

/** A type of unit, the last component of its name. */
export type UnitType = keyof typeof sectionOfType;
