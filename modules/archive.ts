import type { Derivation } from "#lib/derivations/derivation.ts";
import { type Config, defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import type { ArchiveCompression } from "#pkgs/image/archive.ts";
import type { Packages } from "#pkgs/index.ts";

/** By each name of a format: whether it is a tar, and how it is compressed. */
const formats = {
  img: { isTar: false, compression: "none" },
  "img.gz": { isTar: false, compression: "gzip" },
  gz: { isTar: false, compression: "gzip" },
  "img.xz": { isTar: false, compression: "xz" },
  xz: { isTar: false, compression: "xz" },
  "img.zst": { isTar: false, compression: "zstd" },
  zst: { isTar: false, compression: "zstd" },
  tar: { isTar: true, compression: "none" },
  "tar.gz": { isTar: true, compression: "gzip" },
  tgz: { isTar: true, compression: "gzip" },
  "tar.xz": { isTar: true, compression: "xz" },
  txz: { isTar: true, compression: "xz" },
  "tar.zst": { isTar: true, compression: "zstd" },
  tzst: { isTar: true, compression: "zstd" },
} as const satisfies Readonly<Record<string, { readonly isTar: boolean; readonly compression: ArchiveCompression }>>;

type Format = keyof typeof formats;

const options = {
  buildroot: {
    archive_format: mkOption({
      type: types.enum(["none", "off", "", ...(Object.keys(formats) as Format[])]),
      default: "none",
      example: "img.xz",
      description:
        "How the image is packed besides, to be handed on: `img.xz` and its like are the image alone, `tar.xz` and its like an archive of it, with its SHA-256 in a file beside. Packing is not done again while the image stays the same.",
    }),
    archive_mode: mkOption({
      type: types.enum(["all", "image"]),
      default: "all",
      description: "Whether a tar holds the manifest and the report too, or the image alone; `img.*` want `image`.",
    }),
    archive_name: mkOption({
      type: types.nullOr(types.strMatching("[A-Za-z0-9{][A-Za-z0-9._{}-]*")),
      default: null,
      example: "HeliOS-cm5-{version}-sdcard",
      description:
        "Name of that archive; its suffix is added. `{build}` and `{version}` stand for those of `build`. By default that of the image.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    archive: typeof options;
  }
}

/** The image as people send it to each other. */
export default defineModule({
  name: "archive",
  options,
  config: {
    assertions: ({ buildroot: { archive_format, archive_mode } }) => {
      const format = formatOf(archive_format);
      return [
        {
          assertion: format === undefined || format.isTar || archive_mode === "image",
          message: `buildroot.archive_format: '${archive_format}' holds an image alone, and archive_mode is 'all'. Set buildroot.archive_mode to "image", or take a tar.`,
        },
      ];
    },
  },
});

function formatOf(name: string) {
  return Object.hasOwn(formats, name) ? formats[name as Format] : undefined;
}

/** The archive of a system's image, if it is to have one. */
export function archiveOf(config: Config, pkgs: Packages): Derivation | undefined {
  const { archive_format, archive_mode, archive_name } = config.buildroot;
  const format = formatOf(archive_format);
  // An image that is not packed is there already.
  if (format === undefined || (!format.isTar && format.compression === "none")) return undefined;
  const { fileName } = config.image;
  return pkgs.archive({
    name: config.build.name,
    image: config.system.build.image,
    fileName,
    content: format.isTar ? (archive_mode === "all" ? "tar-of-all" : "tar-of-image") : "image",
    compression: format.compression,
    archiveName: withoutSuffix(archive_name === null ? fileName : expand(archive_name, config.build)),
  });
}

/** `{build}` and `{version}` in a template; anything else stays. */
export function expand(template: string, build: { readonly name: string; readonly version: string }): string {
  return template.replaceAll("{build}", build.name).replaceAll("{version}", build.version);
}

/** A name without what says that it is an image or an archive. */
export function withoutSuffix(name: string): string {
  return name.replace(/\.(tar|img|t?gz|t?xz|t?zst)(\.\w+)?$/, "");
}
