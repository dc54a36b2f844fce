import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const moduleName = types.strMatching("[A-Za-z0-9_-]+");

const options = {
  boot: {
    kernelModules: mkOption({
      type: types.listOf(moduleName),
      default: [],
      example: ["i2c-dev", "libcomposite"],
      description: "Kernel modules that are loaded at boot, whether or not a device asks for them.",
    }),
    modprobe: {
      blacklist: mkOption({
        type: types.listOf(moduleName),
        default: [],
        example: ["brcmfmac"],
        description: "Kernel modules that no device loads by itself.",
      }),
      options: mkOption({
        type: types.attrsOf(types.attrsOf(types.oneOf([types.bool, types.int, types.strMatching('[^\\s"]+')]))),
        default: {},
        example: { usbcore: { autosuspend: -1 } },
        description:
          "Parameters of kernel modules, by module and parameter. Modules that the kernel has built in take theirs from `boot.kernelParams`.",
      }),
      softDependencies: mkOption({
        type: types.attrsOf(types.listOf(moduleName)),
        default: {},
        example: { rp1_cfe: ["ov9782"] },
        description: "Modules to load before each module, if there are any of them.",
      }),
      extraConfig: mkOption({
        type: types.lines,
        default: "",
        example: "install pcspkr /bin/false\n",
        description: "Further lines of modprobe.d(5).",
      }),
    },
    sysctl: mkOption({
      type: types.attrsOf(types.nullOr(types.oneOf([types.bool, types.int, types.singleLineStr]))),
      default: {},
      example: { "net.ipv4.ip_forward": true, "vm.swappiness": 10 },
      description: "Kernel parameters below /proc/sys, set at boot. Null leaves one alone that another module sets.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    kernel: typeof options;
  }
}

const sysctlKey = /^-?[A-Za-z0-9_*-]+([./][A-Za-z0-9_:*-]+)+$/;

/** What the kernel is told once it runs: modules, their parameters, and its own. */
export default defineModule({
  name: "kernel",
  options,
  config: {
    stage: {
      files: (config) => {
        const { kernelModules, modprobe, sysctl } = config.boot;
        return [
          {
            dst: "/etc/modules-load.d/helios.conf",
            content: unique(kernelModules)
              .map((name) => `${name}\n`)
              .join(""),
          },
          { dst: "/etc/modprobe.d/helios.conf", content: modprobeText(modprobe) },
          { dst: "/etc/sysctl.d/60-helios.conf", content: sysctlText(sysctl) },
        ].filter(({ content }) => content !== "");
      },
    },
    tests: {
      boot: ({ boot: { modprobe, sysctl } }) => [
        ...sysctlTests(sysctl),
        ...(modprobe.blacklist.length === 0
          ? []
          : [
              {
                description: "the modules that no device may load are on modprobe's blacklist",
                command: `modprobe --showconfig | sed -n 's/^blacklist //p' | LC_ALL=C sort -u | grep -xF -e ${unique(modprobe.blacklist.map(normal)).join(" -e ")}`,
                expect: { stdout: { equals: `${unique(modprobe.blacklist.map(normal)).join("\n")}\n` } },
              },
            ]),
      ],
    },
    assertions: (config) => {
      const { kernelModules, modprobe, sysctl } = config.boot;
      const blacklisted = new Set(modprobe.blacklist.map(normal));
      return [
        ...kernelModules.map((name) => ({
          assertion: !blacklisted.has(normal(name)),
          message: `boot.kernelModules has '${name}', which boot.modprobe.blacklist keeps from being loaded by devices: it would be loaded all the same. Leave it out of one of them.`,
        })),
        ...Object.keys(sysctl).map((key) => ({
          assertion: sysctlKey.test(key),
          message: `boot.sysctl: '${key}' is no name of a kernel parameter, such as net.ipv4.ip_forward.`,
        })),
      ];
    },
  },
});

interface Modprobe {
  readonly blacklist: readonly string[];
  readonly options: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
  readonly softDependencies: Readonly<Record<string, readonly string[]>>;
  readonly extraConfig: string;
}

/** Text of a file of modprobe.d(5). */
function modprobeText({ blacklist, options, softDependencies, extraConfig }: Modprobe): string {
  return [
    ...unique(blacklist).map((name) => `blacklist ${name}\n`),
    ...Object.keys(options)
      .sort()
      .map((name) => {
        const parameters = Object.entries(options[name] ?? {}).map(([key, value]) => `${key}=${parameter(value)}`);
        return parameters.length === 0 ? "" : `options ${name} ${parameters.join(" ")}\n`;
      }),
    ...Object.keys(softDependencies)
      .sort()
      .map((name) => `softdep ${name} pre: ${(softDependencies[name] ?? []).join(" ")}\n`),
    extraConfig === "" || extraConfig.endsWith("\n") ? extraConfig : `${extraConfig}\n`,
  ].join("");
}

/** Text of a file of sysctl.d(5), sorted by key. */
function sysctlText(sysctl: Readonly<Record<string, string | number | boolean | null>>): string {
  return Object.keys(sysctl)
    .sort()
    .flatMap((key) => {
      const value = sysctl[key] ?? null;
      return value === null ? [] : [`${key} = ${valueText(value)}\n`];
    })
    .join("");
}

/** That the kernel has the values, whoever else sets some; of patterns, and of what may fail, none is promised. */
function sysctlTests(sysctl: Readonly<Record<string, string | number | boolean | null>>) {
  const promised = Object.keys(sysctl)
    .filter((key) => /^[^-*][^*]*$/.test(key) && sysctl[key] !== null)
    .sort();
  if (promised.length === 0) return [];
  const values = promised.map((key) => `${valueText(sysctl[key] ?? "")}\n`);
  return [
    {
      description: `the kernel has ${promised.length} of its parameters as configured`,
      // Parts of a value are read with tabs between them.
      command: `cd /proc/sys && cat ${promised.map(procPath).join(" ")} | tr '\\t' ' '`,
      expect: { stdout: { equals: values.join("") } },
    },
  ];
}

/** As sysctl.d(5) says: if the first separator is a slash, dots are parts of names. */
function procPath(key: string): string {
  const slashes = /^[^./]*\//.test(key);
  return slashes ? key : key.replace(/[./]/g, (separator) => (separator === "." ? "/" : "."));
}

const valueText = (value: string | number | boolean): string =>
  String(typeof value === "boolean" ? Number(value) : value);

/** The kernel's own spelling of a boolean parameter. */
function parameter(value: string | number | boolean): string {
  return typeof value === "boolean" ? (value ? "Y" : "N") : String(value);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

/** The kernel takes - and _ in names of modules for the same. */
function normal(name: string): string {
  return name.replaceAll("-", "_");
}
