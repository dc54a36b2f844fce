import type { Linux } from "../linux/linux.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";

/** The FAT partition from which Raspberry Pi firmware, EFI and U-Boot start the system. */
export interface BootPartition {
  readonly linux: Linux;
  readonly initrd: Derivation;
  /** Title of the boot entry. */
  readonly title: string;
  /** Kernel parameters, one line. */
  readonly commandLine: string;
  /** The firmware's `config.txt`, without the lines that name kernel and initial RAM disk. */
  readonly configText: string;
  /** Paths below the kernel's `dtbs`, copied to the top of the partition, where the firmware looks for them. */
  readonly deviceTrees: readonly string[];
  /** Further files: path on the partition → content, or the path of a file in the store. */
  readonly files?: Readonly<Record<string, { readonly content: string } | { readonly source: string }>>;
  /** At most 11 characters; `BOOT` by default. */
  readonly label?: string;
  /** In MiB; 128 by default. */
  readonly size?: number;
}

/** Names on the partition, short enough for FAT's 8.3 scheme as U-Boot and the firmware read either. */
const kernelFile = "Image";
export const initrdFile = "initrd.gz";
/** Where EFI firmware looks for a boot loader. */
const loaderFile = "EFI/BOOT/BOOTAA64.EFI";

/** The boot entry's file in `loader/entries`, by which systemd-boot names it. */
export const entryFile = "helios.conf";

/** The small text files of the partition, by path. */
export function bootTexts({
  title,
  commandLine,
  configText,
  files = {},
}: Pick<BootPartition, "title" | "commandLine" | "configText" | "files">): ReadonlyMap<string, string> {
  const texts = new Map<string, string>([
    ["cmdline.txt", `${commandLine}\n`],
    // `followkernel` lets the firmware choose the address.
    ["config.txt", `${configText.trimEnd()}\n\n[all]\nkernel=${kernelFile}\ninitramfs ${initrdFile} followkernel\n`],
    ["loader/loader.conf", `default ${entryFile}\ntimeout 0\neditor no\n`],
    [
      `loader/entries/${entryFile}`,
      `title ${title}\nlinux /${kernelFile}\ninitrd /${initrdFile}\noptions ${commandLine}\n`,
    ],
    [
      "extlinux/extlinux.conf",
      `default helios\ntimeout 1\nlabel helios\n  menu label ${title}\n  kernel /${kernelFile}\n  initrd /${initrdFile}\n  append ${commandLine}\n`,
    ],
  ]);
  for (const [path, made] of Object.entries(files)) if ("content" in made) texts.set(path, made.content);
  return texts;
}

/** Files that come from the store, by path on the partition. `bootLoader` is systemd-boot. */
export function bootSources(boot: BootPartition, bootLoader: string): ReadonlyMap<string, string> {
  const { linux, initrd, deviceTrees, files = {} } = boot;
  const sources = new Map<string, string>([
    [kernelFile, `${linux.kernel}/Image`],
    [initrdFile, `${initrd}`],
    [loaderFile, bootLoader],
    ...deviceTrees.map((path) => [deviceTreeFile(path), `${linux.kernel}/dtbs/${path}`] as const),
  ]);
  for (const [path, made] of Object.entries(files)) if ("source" in made) sources.set(path, made.source);
  return sources;
}

/** Every path on the partition. */
export function bootPaths(boot: {
  readonly deviceTrees: readonly string[];
  readonly files: Readonly<Record<string, unknown>>;
}): readonly string[] {
  return [
    ...bootTexts({ title: "", commandLine: "", configText: "" }).keys(),
    kernelFile,
    initrdFile,
    loaderFile,
    ...boot.deviceTrees.map(deviceTreeFile),
    ...Object.keys(boot.files),
  ];
}

/** The firmware looks for device trees at the top. */
const deviceTreeFile = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
