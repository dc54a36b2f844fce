import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import { fatPathProblem } from "#pkgs/image/fat-path.ts";
import { bootPaths, entryFile, initrdFile } from "#pkgs/image/boot-partition.ts";

const bootFile = {
  content: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "enable_uart=1\n",
    description: "The file's content. Exactly one of `content` and `src` is to be set.",
  }),
  src: mkOption({
    type: types.nullOr(types.raw),
    default: null,
    example: "assets/bootcode.bin",
    description: "What to copy: a derivation, a string that mentions one, a source, or a local path.",
  }),
  release: mkOption({
    type: types.nullOr(types.singleLineStr),
    default: null,
    example: "stable_20250916",
    description: "Release that the file comes from, to be compared with `boot.kernel.release`.",
  }),
};

const options = {
  boot: {
    kernel: {
      package: mkOption({
        type: types.strMatching("linux-image-[a-z0-9.+-]+(/trixie-backports)?"),
        default: "linux-image-arm64",
        example: "linux-image-arm64",
        description: "Debian package that brings the kernel.",
      }),
      release: mkOption({
        type: types.nullOr(types.singleLineStr),
        default: null,
        example: "stable_20250916",
        description:
          "What the kernel's sources are called where `boot.files` come from. Device trees of another release are then an error.",
      }),
    },
    kernelParams: mkOption({
      type: types.listOf(types.strMatching('[^\\s"]+')),
      default: [],
      example: ["quiet", "panic=10"],
      description: "Words of the kernel command line, besides the ones that find the root file system.",
    }),
    initrd: {
      modules: mkOption({
        type: types.listOf(types.strMatching("[A-Za-z0-9_-]+")),
        default: [],
        example: ["virtio_blk", "ext4"],
        description: "Kernel modules loaded before the root file system is mounted, with all that they depend on.",
      }),
      optionalModules: mkOption({
        type: types.listOf(types.strMatching("[A-Za-z0-9_-]+")),
        default: [],
        example: ["nvme"],
        description: "The same, but left out when the kernel has no such module.",
      }),
    },
    deviceTrees: mkOption({
      type: types.listOf(types.strMatching("[a-z0-9-]+/[A-Za-z0-9._-]+\\.dtb")),
      default: [],
      example: ["broadcom/bcm2712-rpi-5-b.dtb"],
      description: "Device trees of the kernel, as vendor and file, to put on the boot partition.",
    }),
    files: mkOption({
      type: types.attrsOf(types.submodule({ options: bootFile })),
      default: {},
      example: { "overlays/disable-bt.dtbo": { src: "@assets/disable-bt.dtbo", release: "stable_20250916" } },
      description: "Further files of the boot partition, by their path on it: firmware, overlays, device trees.",
    }),
    configTxt: mkOption({
      type: types.lines,
      default: "",
      example: "dtparam=pciex1\n",
      description: "Lines of config.txt, which the Raspberry Pi's firmware reads.",
    }),
    commandLine: mkOption({
      type: types.singleLineStr,
      default: (config: {
        readonly boot: { readonly kernelParams: readonly string[] };
        readonly image: { readonly root: { readonly label: string; readonly filesystem: string } };
      }): string =>
        [
          `root=LABEL=${config.image.root.label}`,
          `rootfstype=${config.image.root.filesystem}`,
          "rw",
          ...config.boot.kernelParams,
        ].join(" "),
      defaultText: "root=LABEL=… rootfstype=… rw, then boot.kernelParams",
      example: "root=LABEL=ACTIVE rw console=tty1",
      description: "The whole kernel command line, the same for every way to boot.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    boot: typeof options;
  }
}

/** The loader's EFI variable with the entry that was started, see "Boot Loader Interface"; four bytes of attributes, then UTF-16. */
const selectedEntry = "/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/** Kernel, initial RAM disk, boot loaders. */
export default defineModule({
  name: "boot",
  options,
  config: {
    assertions: (config, { options }) => [
      ...Object.entries(config.boot.files).map(([path, { content, src }]) => ({
        assertion: (content === null) !== (src === null),
        message: `boot.files."${path}": needs exactly one of content and src.`,
      })),
      ...options.boot.files.definitionsWithLocations.flatMap(({ file, value }) =>
        Object.keys(value as object).flatMap((path) => {
          const problem = fatPathProblem(path);
          if (problem === undefined) return [];
          return [{ assertion: false, message: `boot.files.${JSON.stringify(path)} (in ${file}): ${problem}.` }];
        }),
      ),
      ...alikeOnFat(bootPaths(config.boot)).map((paths) => ({
        assertion: false,
        message: `boot.files: ${paths.map((path) => `'${path}'`).join(" and ")} are one name on FAT. Write it in one way.`,
      })),
    ],
    tests: {
      boot: [
        {
          description: "the boot loader started the entry on the disk",
          command: `cat ${selectedEntry} | tail -c +5 | tr -d '\\000'`,
          expect: { stdout: { equals: entryFile } },
        },
        (config) => ({
          description: "the kernel has the initial RAM disk and the command line of the disk",
          command: "cat /proc/cmdline",
          // The loader names the initial RAM disk itself. `check` may add words, behind.
          expect: {
            stdout: { matches: `^initrd=\\\\${literal(initrdFile)} ${literal(config.boot.commandLine)}( |$)` },
          },
        }),
      ],
    },
  },
});

/** A regular expression that matches exactly this text. */
function literal(text: string): string {
  return text.replaceAll(/[$()*+./?[\\\]^{|}]/g, "\\$&");
}

/** Paths that differ in nothing but case. */
function alikeOnFat(paths: readonly string[]): string[][] {
  const spellings = new Map<string, Set<string>>();
  for (const path of paths) {
    const alike = spellings.get(path.toLowerCase());
    if (alike === undefined) spellings.set(path.toLowerCase(), new Set([path]));
    else alike.add(path);
  }
  return [...spellings.values()].filter(({ size }) => size > 1).map((alike) => [...alike]);
}
