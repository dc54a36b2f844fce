/** What a Buildroot configuration says, as text: the fragment over a defconfig, and wrappers of external trees. */

/** A kconfig value: y or not set, a number, a text. */
export type SymbolValue = boolean | number | string;

/** The part of `buildroot` that becomes symbols. */
export interface BuildrootSettings {
  readonly per_package_dirs: boolean;
  readonly compression: Compression;
  readonly expand_size_mb: number | null;
  readonly linux: { readonly fragments: readonly string[]; readonly patches: readonly string[] };
  readonly packages: Readonly<Record<string, boolean>>;
  readonly package_versions: Readonly<Record<string, string>>;
  readonly symbols: Readonly<Record<string, SymbolValue>>;
}

/** How Buildroot compresses an ext image. */
export const compressions = ["none", "gzip", "bzip2", "lz4", "lzma", "lzo", "xz", "zstd"] as const;

/** One of them. */
export type Compression = (typeof compressions)[number];

/** `nss-mdns` → `BR2_PACKAGE_NSS_MDNS` */
function packageSymbol(name: string): string {
  return `BR2_PACKAGE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/** `target_generic_hostname` → `BR2_TARGET_GENERIC_HOSTNAME` */
function symbolName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith("BR2_") ? upper : `BR2_${upper}`;
}

/** Every symbol that settings ask for, with the options that ask, in the order in which they count: later ones win. */
function requestedSymbols(
  settings: BuildrootSettings,
): { readonly symbol: string; readonly value: SymbolValue; readonly from: string }[] {
  const { packages, package_versions, symbols } = settings;
  return [
    { symbol: "BR2_PER_PACKAGE_DIRECTORIES", value: settings.per_package_dirs, from: "per_package_dirs" },
    ...compressions.map((name) => ({
      symbol: `BR2_TARGET_ROOTFS_EXT2_${name.toUpperCase()}`,
      value: name === settings.compression,
      from: "compression",
    })),
    ...(settings.expand_size_mb === null
      ? []
      : [{ symbol: "BR2_TARGET_ROOTFS_EXT2_SIZE", value: `${settings.expand_size_mb}M`, from: "expand_size_mb" }]),
    ...(
      [
        ["fragments", "BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES"],
        ["patches", "BR2_LINUX_KERNEL_PATCH"],
      ] as const
    ).flatMap(([name, symbol]) =>
      settings.linux[name].length === 0
        ? []
        : [{ symbol, value: settings.linux[name].join(" "), from: `linux.${name}` }],
    ),
    ...Object.entries(packages).map(([name, value]) => ({
      symbol: packageSymbol(name),
      value,
      from: `packages.${name}`,
    })),
    ...Object.entries(package_versions).map(([name, value]) => ({
      symbol: `${packageSymbol(name)}_VERSION`,
      value,
      from: `package_versions.${name}`,
    })),
    ...Object.entries(symbols).map(([name, value]) => ({ symbol: symbolName(name), value, from: `symbols.${name}` })),
  ];
}

/** The fragment that goes over the defconfig, one line for each symbol, sorted. */
export function renderDefconfig(settings: BuildrootSettings): string {
  const values = new Map(requestedSymbols(settings).map(({ symbol, value }) => [symbol, value]));
  return [...values.keys()]
    .sort()
    .map((symbol) => `${renderSymbol(symbol, values.get(symbol) ?? false)}\n`)
    .join("");
}

function renderSymbol(symbol: string, value: SymbolValue): string {
  if (typeof value === "boolean") return value ? `${symbol}=y` : `# ${symbol} is not set`;
  if (typeof value === "number") return `${symbol}=${value}`;
  return `${symbol}="${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The three files that make a directory with `packages/*` a tree that BR2_EXTERNAL accepts, by name. */
export function renderExternalTree(
  name: string,
  description: string,
  packages: readonly string[],
): Record<string, string> {
  const sorted = [...packages].sort();
  return {
    "Config.in": sorted.map((each) => `source "$BR2_EXTERNAL_${name}_PATH/packages/${each}/Config.in"\n`).join(""),
    "external.desc": `name: ${name}\ndesc: ${description}\n`,
    "external.mk": sorted.map((each) => `include $(BR2_EXTERNAL_${name}_PATH)/packages/${each}/${each}.mk\n`).join(""),
  };
}

/** Options that ask for different values of one symbol. */
export function contradictions(settings: BuildrootSettings): string[] {
  const seen = new Map<string, { readonly value: SymbolValue; readonly from: string }>();
  return requestedSymbols(settings).flatMap(({ symbol, value, from }) => {
    const other = seen.get(symbol);
    seen.set(symbol, { value, from });
    return other === undefined || other.value === value
      ? []
      : [
          `buildroot: ${symbol} is ${JSON.stringify(other.value)} by ${other.from} and ${JSON.stringify(value)} by ${from}. Leave one of them out.`,
        ];
  });
}

/** Names of packages that Buildroot 2025.11 does not have, and what to write instead. */
const deadPackages: Readonly<Record<string, string>> = {
  BR2_PACKAGE_CMAKE: "It is a host tool without a choice on the target. Leave it out.",
  BR2_PACKAGE_GCC: "There is no compiler for the target. Leave it out.",
  BR2_PACKAGE_LINUX_FIRMWARE_RP2:
    "It is firmware of Comtrol RocketPort cards, not of a Raspberry Pi. Leave it out, or set the symbol.",
  BR2_PACKAGE_NINJA: "It is a host tool. Leave it out.",
  BR2_PACKAGE_PYTHON3_PIP: "Its name is python-pip.",
  BR2_PACKAGE_PYTHON_WHEEL: "It is a host tool. Leave it out.",
  BR2_PACKAGE_RUST: "There is no compiler for the target. Leave it out.",
};

/** What is wrong with the names in `buildroot.packages`, unless an external tree has such a package. */
export function deadPackageProblems(
  packages: Readonly<Record<string, boolean>>,
  external: readonly string[],
): string[] {
  const provided = new Set(external.map(packageSymbol));
  return Object.keys(packages).flatMap((name) => {
    const reason = deadPackages[packageSymbol(name)];
    return reason === undefined || provided.has(packageSymbol(name))
      ? []
      : [`buildroot.packages.${name}: Buildroot would drop it without a word. ${reason}`];
  });
}
