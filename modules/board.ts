/** What is known of the board, and what follows for everything that is to run on it. */
import { type Config, defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import { bootPaths } from "#pkgs/image/boot-partition.ts";
import { matchesGlob } from "./glob.ts";

/** In MiB: where the first partition starts, and what a master boot record can address in sectors of 512 bytes. */
const firstPartition = 4;
const largestDisk = 2 * 1024 * 1024;
/** A master boot record has no more; further ones would be logical. */
const primaryPartitions = 4;

const options = {
  board: {
    name: mkOption({
      type: types.nullOr(types.singleLineStr),
      default: null,
      example: "Raspberry Pi Compute Module 5",
      description: "What the board is called, for messages.",
    }),
    networkInterfaces: mkOption({
      type: types.listOf(types.strMatching("[A-Za-z0-9_.-]{1,15}")),
      default: [],
      example: ["end0"],
      description:
        "What the kernel calls the wired ports that are built in. With them, a network that matches none of them is an error. None: nothing is known.",
    }),
    bootFiles: mkOption({
      type: types.listOf(types.strMatching("[A-Za-z0-9._/-]+")),
      default: [],
      example: ["config.txt", "start4.elf"],
      description: "Files without which the board's firmware does not start what is on the FAT partition.",
    }),
    storageMiB: mkOption({
      type: types.nullOr(types.ints.positive),
      default: null,
      example: 14_800,
      description: "Size of the smallest medium that the image is for, in MiB. All partitions have to fit.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    board: typeof options;
  }
}

/** Facts about the board, and rules that follow from them. */
export default defineModule({
  name: "board",
  options,
  config: {
    assertions: (config) =>
      [
        ...absentInterfaces(config),
        ...absentBootFiles(config),
        ...tooLarge(config),
        ...tooManyPartitions(config),
        ...foreignDeviceTrees(config),
      ].map((message) => ({ assertion: false, message })),
  },
});

const boardOf = ({ board: { name } }: Config): string => (name === null ? "the board" : `the ${name}`);

/** Networks of wired ports that the board does not have: they would never be configured. */
function absentInterfaces(config: Config): string[] {
  const { networkInterfaces } = config.board;
  const board = boardOf(config);
  const { networks, netdevs } = config.networking.networkd;
  const made = Object.values(netdevs).flatMap(({ netdev }) => (netdev.Name === null ? [] : [netdev.Name]));
  const present = [...networkInterfaces, ...made];
  if (networkInterfaces.length === 0) return [];
  return Object.entries(networks).flatMap(([name, { match }]) => {
    const patterns = (match.Name === null ? [] : [match.Name].flat()).flatMap((names) => names.split(/\s+/));
    // Wired ports by the kernel's and udev's schemes; others come and go.
    const isWired = patterns.length > 0 && patterns.every((pattern) => /^(eth|en[dopsx])[0-9*?[]/.test(pattern));
    if (!isWired || present.some((real) => patterns.some((pattern) => matchesGlob(real, pattern)))) return [];
    return [
      `networking.networkd.networks."${name}": matches ${patterns.join(" ")}, and ${board} has ${networkInterfaces.join(", ")}. Match that.`,
    ];
  });
}

function absentBootFiles(config: Config): string[] {
  const { configTxt, deviceTrees, files } = config.boot;
  // FAT does not tell case apart.
  const there = new Set(bootPaths({ deviceTrees, files }).map((path) => path.toLowerCase()));
  return config.board.bootFiles
    .filter((path) => !there.has(path.toLowerCase()) || (path === "config.txt" && configTxt.trim() === ""))
    .map(
      (path) =>
        `board.bootFiles: ${boardOf(config)} does not start without ${path}, which nothing puts on the boot partition. ${path.endsWith(".dtb") ? "Add it to boot.deviceTrees or boot.files." : path === "config.txt" ? "Set boot.configTxt." : "Add it to boot.files."}`,
    );
}

/** What the partitions take at least, those included that are made on the machine. */
function tooLarge(config: Config): string[] {
  const { boot, root, reserved } = config.image;
  const parts: readonly (readonly [string, number])[] = [
    ["image.boot.sizeMiB", boot.sizeMiB],
    root.sizeMiB === null
      ? ["image.root.freeMiB (its files not counted)", root.freeMiB]
      : ["image.root.sizeMiB", root.sizeMiB],
    ...Object.entries(reserved).map(([label, size]) => [`image.reserved.${label}`, size] as const),
  ];
  const needed = firstPartition + parts.reduce((sum, [, size]) => sum + size, 0);
  const limit = Math.min(config.board.storageMiB ?? largestDisk, largestDisk);
  if (needed <= limit) return [];
  const medium = limit === largestDisk ? "a master boot record only reaches" : `${boardOf(config)} only has`;
  return [
    `image: the partitions take ${needed} MiB, and ${medium} ${limit} MiB. They are: ${parts.map(([name, size]) => `${name} ${size}`).join(", ")}.`,
  ];
}

function tooManyPartitions({ image: { reserved } }: Config): string[] {
  const labels = Object.keys(reserved);
  return 2 + labels.length <= primaryPartitions
    ? []
    : [
        `image.reserved: a master boot record has ${primaryPartitions} partitions, of which the image has two, so ${labels.join(", ")} cannot all be made.`,
      ];
}

/** Device trees that were made for another kernel describe other drivers. */
function foreignDeviceTrees({ boot: { files, kernel } }: Config): string[] {
  const { release: kernelRelease } = kernel;
  return Object.entries(files).flatMap(([path, { release }]) =>
    /\.dtbo?$/.test(path) && release !== null && kernelRelease !== null && release !== kernelRelease
      ? [
          `boot.files."${path}": comes from ${release}, and the kernel is ${kernelRelease}. Take both from one source, or set boot.kernel.release if they belong together.`,
        ]
      : [],
  );
}
