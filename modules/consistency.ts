/** Mistakes between options, each of which somebody has shipped in an image. */
import { type Config, defineModule } from "#lib/evaluator/index.ts";
import { importedTrees } from "./buildroot.ts";
import { matchesGlob } from "./glob.ts";
import { tolerable } from "./legacy.ts";

type Units = Config["services"]["units"];
type Unit = Units[string];

/** Options that only mean something in /etc/fstab: a mount unit ignores them, or fails. */
const fstabOnly = /^(auto|noauto|nofail|users?|nousers?|owner|group|comment=.*|x-systemd\..*|x-initrd\..*)$/;

/** Rules about several options at once. */
export default defineModule({
  name: "consistency",
  config: tolerable((config) => [
    ...unstagedPrograms(config),
    ...unstagedEnvironmentFiles(config),
    ...unstagedConditions(config),
    ...unknownInterfaces(config),
    ...twoVersions(config),
    ...fstabOptions(config),
    ...missingMounts(config),
    ...missingServices(config),
    ...prunedData(config),
    ...absentLanguage(config),
    ...stoppedWatchdog(config),
    ...imageLabels(config),
  ]),
});

/** Units that are written here, by name. */
function own(config: Config): [string, Unit][] {
  return Object.entries(config.services.units).filter(([, unit]) => unit.enable && !unit.mask && !unit.vendor);
}

/** No package has anything in these directories, or under the distribution's own name, so what runs from there must be staged. */
function unstagedPrograms(config: Config): string[] {
  const { isStaged } = staged(config);
  const ours = new RegExp(`^/((opt|srv|usr/local)/|(usr/)?(s?bin|libexec|lib)/${distribution(config)}[-/])`);
  return own(config).flatMap(([name, { service }]) =>
    (
      ["ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecReload", "ExecStopPost", "ExecCondition"] as const
    ).flatMap((directive) =>
      list(service[directive]).flatMap((command) => {
        const program = command.replace(/^[@:+!|-]+/, "").split(/\s/)[0] ?? "";
        if (!ours.test(program) || isStaged(program)) return [];
        return [
          `services.units."${name}": ${directive} runs ${program}, which nothing puts into the image. Add it to program.install.items or stage.files.`,
        ];
      }),
    ),
  );
}

function unstagedEnvironmentFiles(config: Config): string[] {
  const { isStaged } = staged(config);
  return own(config).flatMap(([name, { service }]) =>
    list(service.EnvironmentFile).flatMap((path) =>
      /^\/(etc|opt|usr|srv)\//.test(path) && !/[*?[%]/.test(path) && !isStaged(path)
        ? [
            `services.units."${name}": EnvironmentFile=${path} is not staged, so the unit would not start. Add it to stage.env.files, or write -${path} if it may be missing.`,
          ]
        : [],
    ),
  );
}

/** A unit that waits for a file of the distribution's own is skipped at every boot if nobody writes the file. */
function unstagedConditions(config: Config): string[] {
  const { isStaged } = staged(config);
  const ours = new RegExp(`^/(etc|usr/lib|usr/share)/${distribution(config)}/`);
  return own(config).flatMap(([name, { unit }]) =>
    (["ConditionPathExists", "AssertPathExists"] as const).flatMap((directive) =>
      list(unit[directive]).flatMap((path) =>
        ours.test(path) && !isStaged(path)
          ? [
              `services.units."${name}": ${directive}=${path} is not staged, so the unit would never start. Add the file to stage.files.`,
            ]
          : [],
      ),
    ),
  );
}

/** The name below which files are the distribution's own: what os-release calls ID. */
function distribution(config: Config): string {
  return config.build.distribution.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

/** Variables that name a network interface, for programs that look for it. */
function unknownInterfaces(config: Config): string[] {
  const { networks, netdevs } = config.networking.networkd;
  const known = [
    "lo",
    ...config.board.networkInterfaces,
    ...Object.values(netdevs).map(({ netdev }) => netdev.Name ?? ""),
    ...Object.values(networks).flatMap(({ match }) => list(match.Name).flatMap((names) => names.split(/\s+/))),
  ];
  const { sets, files } = config.stage.env;
  const variables = [
    ...Object.entries(sets).map(([set, values]) => [`stage.env.sets.${set}`, values] as const),
    ...files.map(({ path, vars }) => [`stage.env.files: '${path}'`, vars] as const),
    ...own(config).map(([name, { environment }]) => [`services.units."${name}"`, environment] as const),
  ];
  return variables.flatMap(([where, values]) =>
    Object.entries(values).flatMap(([name, value]) =>
      /(^|_)(INTERFACE|IFACE|NETDEV)$/.test(name) &&
      value !== "" &&
      !known.some((pattern) => matchesGlob(value, pattern))
        ? [`${where}: ${name}=${value} names an interface that neither networking nor the board has.`]
        : [],
    ),
  );
}

/** A library that programs are built with, and another version of it in the image. */
function twoVersions(config: Config): string[] {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const versions = new Map(
    Object.entries(config.buildroot.package_versions).map(([name, version]) => [plain(name), { name, version }]),
  );
  return Object.entries(config.program.profiles).flatMap(([profile, { env }]) =>
    Object.entries(env).flatMap(([variable, value]) => {
      const other = variable.endsWith("_VERSION")
        ? versions.get(plain(variable.slice(0, -"_VERSION".length)))
        : undefined;
      return other === undefined || other.version === value
        ? []
        : [
            `${variable} of program.profiles.${profile} is ${value}, and buildroot.package_versions.${other.name} is ${other.version}: programs would be built against another version than they run with.`,
          ];
    }),
  );
}

function fstabOptions(config: Config): string[] {
  return own(config).flatMap(([name, { mount }]) =>
    (mount.Options ?? "")
      .split(",")
      .filter((option) => fstabOnly.test(option))
      .map(
        (option) =>
          `services.units."${name}": the mount option '${option}' only works in /etc/fstab. Use wantedBy, requiredBy and the directives of [Unit] instead.`,
      ),
  );
}

/**
 * systemd itself waits for mounts below StateDirectory= and its siblings and
 * WorkingDirectory=, but not below paths that only a command or a variable names.
 */
function missingMounts(config: Config): string[] {
  const { sets } = config.stage.env;
  const mounts = own(config).flatMap(([name, { mount }]) =>
    mount.Where === null ? [] : [{ name, where: mount.Where.replace(/(?<=.)\/+$/, "") }],
  );
  if (mounts.length === 0) return [];
  return own(config).flatMap(([name, unit]) => {
    const { service, environment, envSet } = unit;
    const words = [
      ...[
        service.ExecStart,
        service.ExecStartPre,
        service.ExecStartPost,
        service.ReadWritePaths,
        service.Environment,
      ].flatMap(list),
      ...Object.values({ ...(envSet === null ? {} : sets[envSet]), ...environment }),
    ].flatMap((text) => text.split(/[\s=:"',]+/));
    const waited = [...list(unit.unit.RequiresMountsFor), ...list(unit.unit.WantsMountsFor)].flatMap((text) =>
      text.split(/\s+/),
    );
    const directories = [
      ...list(service.StateDirectory).map((directory) => `/var/lib/${directory}`),
      ...list(service.CacheDirectory).map((directory) => `/var/cache/${directory}`),
      ...list(service.LogsDirectory).map((directory) => `/var/log/${directory}`),
      ...(service.WorkingDirectory === null ? [] : [service.WorkingDirectory]),
      ...waited,
    ];
    const named = new Set(
      [...list(unit.unit.Requires), ...list(unit.unit.BindsTo)].flatMap((text) => text.split(/\s+/)),
    );
    return mounts.flatMap(({ name: mountName, where }) => {
      const used = words.find((word) => isBelow(word, where));
      if (used === undefined || named.has(mountName) || directories.some((directory) => isBelow(directory, where)))
        return [];
      return [
        `services.units."${name}": uses ${used}, which is on ${mountName}, but may start before it is mounted. Add unit.RequiresMountsFor = "${where}".`,
      ];
    });
  });
}

/** A socket, timer or path starts a service, which must be there. */
function missingServices(config: Config): string[] {
  const { units } = config.services;
  return own(config).flatMap(([name, unit]) => {
    const [, stem = "", type = ""] = /^(.*)\.(socket|timer|path)$/.exec(name) ?? [];
    const present = [unit.socket, unit.timer, unit.path].some((section) =>
      Object.values(section).some((value) => value !== null),
    );
    if (type === "" || !present) return [];
    const accepts = unit.socket.Accept === true;
    const started =
      (type === "socket" ? unit.socket.Service : type === "timer" ? unit.timer.Unit : unit.path.Unit) ??
      `${stem}${accepts ? "@" : ""}.service`;
    const template = started.replace(/@[^.]*\./, "@.");
    if ([started, template].some((candidate) => units[candidate]?.enable === true)) return [];
    return [
      `services.units."${name}": starts ${started}, which services.units does not have. Declare it; if a package ships it, with vendor.`,
    ];
  });
}

/** Data that an option needs and another one leaves out. */
function prunedData(config: Config): string[] {
  const { leave_out } = config.buildroot.starting_point;
  const { timeZone, language } = config.locale;
  const needed = [
    ...(/^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/.test(timeZone)
      ? []
      : [{ option: `locale.timeZone = "${timeZone}"`, path: `usr/share/zoneinfo/${timeZone}` }]),
    ...(isBuiltIn(language) ? [] : [{ option: `locale.language = "${language}"`, path: "usr/lib/locale" }]),
  ];
  return needed.flatMap(({ option, path }) =>
    leave_out
      .filter((left) => isBelow(`/${path}`, `/${left.replace(/^\/+|\/+$/g, "")}`))
      .map((left) => `${option} needs /${path}, which buildroot.starting_point.leave_out leaves out by '${left}'.`),
  );
}

/** Locales that are in the C library itself; it knows others of these names no more than any. */
function isBuiltIn(language: string): boolean {
  return /^(C|POSIX|C\.(UTF-8|utf8))$/.test(language);
}

/** Maintainer scripts, which would generate locales, never run, so one has to come as files. What an imported tree has is not known. */
function absentLanguage(config: Config): string[] {
  const { starting_point: point } = config.buildroot;
  const { language } = config.locale;
  const directory = "/usr/lib/locale";
  const excluded = point.packages.exclude.includes("locales-all");
  const there =
    isBuiltIn(language) ||
    importedTrees(point).length > 0 ||
    (point.packages.install.includes("locales-all") && !excluded) ||
    staged(config).isStaged(directory) ||
    config.stage.files.some(({ dst }) => isBelow(dst, directory));
  if (there) return [];
  const remedy = excluded
    ? 'Take "locales-all" out of buildroot.starting_point.packages.exclude, and have it in install.'
    : 'Add "locales-all" to buildroot.starting_point.packages.install.';
  return [`locale.language is ${language}, which nothing in the image has. ${remedy}`];
}

function stoppedWatchdog(config: Config): string[] {
  if (!/^\s*dtparam=(.*,)?watchdog=off\b/m.test(config.boot.configTxt)) return [];
  return config.stage.files.flatMap(({ dst, content }) =>
    /^\/etc\/systemd\/system\.conf(\.d\/|$)/.test(dst) &&
    /^\s*RuntimeWatchdogSec=(?!\s*(0|off)?\s*$)/m.test(content ?? "")
      ? [
          `boot.configTxt switches the watchdog off, but ${dst} has systemd use it (RuntimeWatchdogSec=). Remove one of them.`,
        ]
      : [],
  );
}

function imageLabels(config: Config): string[] {
  const { boot, root } = config.image;
  if (boot.label.toLowerCase() !== root.label.toLowerCase()) return [];
  return [
    `image.boot.label and image.root.label are both '${root.label}': the kernel could not tell the partitions apart.`,
  ];
}

/** Whether a path is written by the configuration, by itself or in a tree. */
function staged(config: Config): { isStaged(path: string): boolean } {
  const files = new Set(config.stage.files.map(({ dst }) => dst));
  const trees = config.stage.files.filter(({ recursive }) => recursive).map(({ dst }) => dst);
  return { isStaged: (path) => files.has(path) || trees.some((tree) => isBelow(path, tree)) };
}

function isBelow(path: string, directory: string): boolean {
  return directory === "/" ? path.startsWith("/") : path === directory || path.startsWith(`${directory}/`);
}

function list(value: string | readonly string[] | null): readonly string[] {
  return value === null ? [] : typeof value === "string" ? [value] : value;
}
