import { defineModule, mkOption, mkOrder, types } from "#lib/evaluator/index.ts";
import type { Section, UnitSections } from "./render-unit.ts";
import { renderAssignment, renderUnit } from "./render-unit.ts";
import { sectionOfType, unitOptions, type UnitType } from "./units.ts";

const unitDirectory = "/etc/systemd/system";
const vendorDirectory = "/usr/lib/systemd/system";

const options = {
  services: {
    units: mkOption({
      type: types.attrsOf(types.submodule({ options: unitOptions })),
      default: {},
      example: { "hello.service": { service: { ExecStart: "/usr/bin/hello" }, wantedBy: ["multi-user.target"] } },
      description: "systemd units by full name. The one place that unit files, links and presets come from.",
    }),
    defaultTarget: mkOption({
      type: types.strMatching("[A-Za-z0-9:_.@-]+\\.target"),
      default: "multi-user.target",
      description: "What the system boots to.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    services: typeof options;
  }
}

/** One unit as `config.services.units` has it. */
type Unit = Readonly<Record<"enable" | "vendor" | "mask", boolean>> &
  Readonly<Record<"wantedBy" | "requiredBy" | "aliases" | "also", readonly string[]>> &
  Readonly<Record<SectionName, Section>> & {
    readonly environment: Readonly<Record<string, string>>;
    readonly envSet: string | null;
    readonly credentials: Readonly<Record<string, types.Secret>>;
    readonly src: string | null;
    readonly extraConfig: string;
    readonly dropIns: Readonly<Record<string, DropIn>>;
  };

type SectionName = "unit" | NonNullable<(typeof sectionOfType)[UnitType]>;

type DropIn = Readonly<Record<SectionName, Section>> & { readonly extraConfig: string };

type EnvironmentSets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** After all other assertions: they start services, which may then complain. */
const lastTests = 2000;

/** systemd units: files, links and presets. */
export default defineModule({
  name: "services",
  options,
  config: {
    stage: {
      files: (config) => [
        ...Object.entries(config.services.units).flatMap(([name, unit]) =>
          unitFiles(name, unit, config.stage.env.sets),
        ),
        {
          dst: `${unitDirectory}/default.target`,
          link: `${vendorDirectory}/${config.services.defaultTarget}`,
          replace: true,
          fallback: true,
        },
        {
          dst: "/etc/systemd/system-preset/00-helios.preset",
          content: presets(config.services.units, config.stage.env.sets),
        },
      ],
    },
    tests: { boot: mkOrder(lastTests, [journalOfUnits]), reboot: mkOrder(lastTests, [journalOfUnits]) },
    assertions: (config) =>
      Object.entries(config.services.units).flatMap(([name, unit]) =>
        unitAssertions(name, unit, config.stage.env.sets),
      ),
  },
});

/** The journal of the units that are written here; those that packages ship may have their habits. */
function journalOfUnits(config: { readonly services: { readonly units: Readonly<Record<string, Unit>> } }) {
  const units = Object.entries(config.services.units).flatMap(([name, { enable, mask, vendor }]) =>
    enable && !mask && !vendor ? [name] : [],
  );
  return { type: "journal", units } as const;
}

/** Whether the unit is here only for its drop-ins: somebody else writes it, and decides whether it starts. */
function isOnlyDropIns(name: string, unit: Unit, sets: EnvironmentSets): boolean {
  return !unit.vendor && unit.src === null && !unit.mask && hasDropIns(unit) && unitText(name, unit, sets) === "";
}

function hasDropIns(unit: Unit): boolean {
  return Object.keys(unit.dropIns).length > 0;
}

/** What a unit puts into the image: its file or drop-in, and its links. */
function unitFiles(name: string, unit: Unit, sets: EnvironmentSets) {
  if (!unit.enable) return [];
  if (unit.mask) return [{ dst: `${unitDirectory}/${name}`, link: "/dev/null", replace: true }];
  const target = `${unit.vendor ? vendorDirectory : unitDirectory}/${name}`;
  const text = unitText(name, unit, sets);
  const path = unit.vendor ? `${unitDirectory}/${name}.d/50-helios.conf` : `${unitDirectory}/${name}`;
  const link = (dst: string) => ({ dst: `${unitDirectory}/${dst}`, link: target, replace: true });
  return [
    ...(unit.src === null ? [] : [{ dst: `${unitDirectory}/${name}`, src: unit.src }]),
    ...(unit.src !== null || (text === "" && (unit.vendor || hasDropIns(unit))) ? [] : [{ dst: path, content: text }]),
    ...Object.entries(unit.dropIns).map(([dropIn, content]) => ({
      dst: `${unitDirectory}/${name}.d/${dropIn}.conf`,
      content: dropInText(name, content),
    })),
    ...unit.wantedBy.map((other) => link(`${other}.wants/${name}`)),
    ...unit.requiredBy.map((other) => link(`${other}.requires/${name}`)),
    ...unit.aliases.map((alias) => link(alias)),
  ];
}

/** The text of a unit file, or of the drop-in of a unit that a package ships. */
function unitText(name: string, unit: Unit, sets: EnvironmentSets): string {
  const own = ownSection(name);
  const sections: Record<string, Section> = { Unit: unit.unit };
  if (own !== undefined)
    sections[capitalize(own)] = own === "service" ? withCredentials(withEnvironment(unit, sets), unit) : unit[own];
  if (!unit.vendor) {
    sections["Install"] = {
      WantedBy: unit.wantedBy,
      RequiredBy: unit.requiredBy,
      Alias: unit.aliases,
      Also: unit.also,
    };
  }
  return [renderUnit(sections satisfies UnitSections), unit.extraConfig].filter((part) => part !== "").join("\n");
}

/** The text of a drop-in `<unit>.d/<name>.conf`. */
function dropInText(name: string, dropIn: DropIn): string {
  const own = ownSection(name);
  return [
    renderUnit({ Unit: dropIn.unit, ...(own === undefined ? {} : { [capitalize(own)]: dropIn[own] }) }),
    dropIn.extraConfig,
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function withEnvironment(unit: Unit, sets: EnvironmentSets): Section {
  const variables = { ...(unit.envSet === null ? {} : sets[unit.envSet]), ...unit.environment };
  const names = Object.keys(variables).sort();
  if (names.length === 0) return unit.service;
  const written = unit.service["Environment"] ?? [];
  return {
    ...unit.service,
    Environment: [
      ...(Array.isArray(written) ? written : [written as string]),
      ...names.map((variable) => renderAssignment(variable, variables[variable] ?? "")),
    ],
  };
}

/** Only where secrets are is written; systemd reads them when the service starts. */
function withCredentials(service: Section, { credentials }: Unit): Section {
  const names = Object.keys(credentials).sort();
  if (names.length === 0) return service;
  const written = service["LoadCredential"] ?? [];
  return {
    ...service,
    LoadCredential: [
      ...(Array.isArray(written) ? written : [written as string]),
      ...names.flatMap((name) => {
        const reference = credentials[name]?.reference;
        return reference !== undefined && "file" in reference ? [`${name}:${reference.file}`] : [];
      }),
    ],
  };
}

/** `systemctl preset UNIT` on the running system gives back what was declared. */
function presets(units: Readonly<Record<string, Unit>>, sets: EnvironmentSets): string {
  return Object.keys(units)
    .sort()
    .flatMap((name) => {
      const unit = units[name];
      if (unit === undefined || !unit.enable || isOnlyDropIns(name, unit, sets)) return [];
      return [`${unit.wantedBy.length + unit.requiredBy.length > 0 && !unit.mask ? "enable" : "disable"} ${name}\n`];
    })
    .join("");
}

function unitAssertions(name: string, unit: Unit, sets: EnvironmentSets) {
  const type = unitType(name);
  const own = ownSection(name);
  const foreign = Object.values(sectionOfType).filter(
    (section) =>
      section !== undefined && section !== own && Object.values(unit[section]).some((value) => value !== null),
  );
  return [
    {
      assertion: type !== undefined,
      message: `services.units."${name}": the name must end in one of ${Object.keys(sectionOfType)
        .map((known) => `.${known}`)
        .join(", ")}.`,
    },
    {
      assertion: type === undefined || foreign.length === 0,
      message: `services.units."${name}": a .${type ?? ""} cannot have the section ${foreign.join(" and ")}.`,
    },
    {
      assertion:
        own !== "mount" ||
        unit.vendor ||
        typeof unit.mount["Where"] !== "string" ||
        mountUnitName(unit.mount["Where"]) === name,
      message: `services.units."${name}": systemd only accepts this mount unit if its name follows from Where=${String(unit.mount["Where"])}: ${mountUnitName(String(unit.mount["Where"]))}.`,
    },
    {
      assertion:
        unit.src === null || (!unit.vendor && unitText(name, { ...unit, wantedBy: [], requiredBy: [] }, sets) === ""),
      message: `services.units."${name}": src is copied as it is, so vendor and sections have no place here. Write them in dropIns.`,
    },
    {
      assertion: unit.envSet === null || Object.hasOwn(sets, unit.envSet),
      message: `services.units."${name}": envSet '${unit.envSet ?? ""}' is not in stage.env.sets. It has: ${Object.keys(sets).join(", ")}.`,
    },
    ...Object.entries(unit.credentials).map(([credential, { reference }]) => ({
      assertion: "file" in reference && /^[A-Za-z0-9._-]+$/.test(credential),
      message: `services.units."${name}": the credential '${credential}' needs { file } and a name of letters, digits, '.', '_' and '-': systemd reads credentials from files.`,
    })),
    {
      assertion: own === "service" || Object.keys(unit.credentials).length === 0,
      message: `services.units."${name}": only a service has credentials.`,
    },
    {
      assertion:
        type !== "service" ||
        unit.vendor ||
        unit.src !== null ||
        unit.mask ||
        !unit.enable ||
        unit.service["ExecStart"] !== null ||
        unit.service["Type"] === "oneshot" ||
        isOnlyDropIns(name, unit, sets),
      message: `services.units."${name}": a service needs service.ExecStart. If a package ships the unit, set vendor.`,
    },
  ];
}

/** The section beside [Unit] that a unit of this name has. */
function ownSection(name: string): SectionName | undefined {
  const type = unitType(name);
  return type === undefined ? undefined : sectionOfType[type];
}

function unitType(name: string): UnitType | undefined {
  const type = name.slice(name.lastIndexOf(".") + 1);
  return Object.hasOwn(sectionOfType, type) ? (type as UnitType) : undefined;
}

/** The name that systemd wants of the unit of a mount point, as `systemd-escape --path --suffix=mount` prints it. */
export function mountUnitName(where: string): string {
  const path = where
    .split("/")
    .filter((part) => part !== "")
    .join("/");
  const escaped = path.replaceAll(/^\.|[^A-Za-z0-9:_./]/g, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  return `${escaped.replaceAll("/", "-") || "-"}.mount`;
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
