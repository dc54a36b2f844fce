import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  image: {
    fileName: mkOption({
      type: types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*"),
      default: (config: { readonly build: { readonly name: string; readonly version: string } }): string =>
        `${config.build.name}-${config.build.version}-sdcard.img`,
      defaultText: "NAME-VERSION-sdcard.img",
      example: "workbench.img",
      description: "File name of the SD card image.",
    }),
    boot: {
      label: mkOption({
        type: types.strMatching("[A-Z0-9_-]{1,11}"),
        default: "BOOT",
        example: "SYSTEM",
        description: "Volume label of the FAT partition, at most 11 characters.",
      }),
      sizeMiB: mkOption({
        type: types.ints.between(64, 4096),
        default: 256,
        example: 2048,
        description: "Size of the FAT partition, in MiB.",
      }),
    },
    root: {
      label: mkOption({
        type: types.strMatching("[A-Za-z0-9_-]{1,16}"),
        default: "ACTIVE",
        example: "SYSTEM",
        description: "Volume label of the root file system, at most 16 characters; the kernel finds it by this.",
      }),
      filesystem: mkOption({
        type: types.enum(["ext4"]),
        default: "ext4",
        description: "Type of the root file system.",
      }),
      sizeMiB: mkOption({
        type: types.nullOr(types.ints.between(16, 2 * 1024 * 1024)),
        default: (config: { readonly buildroot: { readonly expand_size_mb: number | null } }): number | null =>
          config.buildroot.expand_size_mb,
        defaultText: "buildroot.expand_size_mb",
        example: 2048,
        description: "Size of the root file system, in MiB. Null: what its files need, and `freeMiB`.",
      }),
      freeMiB: mkOption({
        type: types.ints.between(16, 65_536),
        default: 128,
        example: 512,
        description: "Free space in the root file system, in MiB, besides what its files need, where no size is given.",
      }),
    },
    reserved: mkOption({
      type: types.attrsOf(types.ints.positive),
      default: {},
      example: { DATA: 4096 },
      description:
        "Room that has to be left on the medium for partitions that are made on the machine, in MiB by label.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    image: typeof options;
  }
}

/** Shape of the SD card image: a master boot record, the FAT partition first, then the root file system. */
export default defineModule({ name: "image", options });
