import { type Config, defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import {
  compressions,
  contradictions,
  deadPackageProblems,
  renderDefconfig,
  renderExternalTree,
} from "./buildroot/render.ts";
import { tolerable } from "./legacy.ts";
import { workspacePath, workspaceProblem } from "./workspace.ts";

const externalTree = {
  src: mkOption({
    type: types.str,
    example: "@shared/buildroot",
    description: "Local directory, as paths of `workspace` are.",
  }),
  packages: mkOption({
    type: types.listOf(types.strMatching("[a-z0-9][a-z0-9._-]*")),
    default: [],
    example: ["libpisp"],
    description: "Its packages, in `packages/NAME`. None: it has its own external.desc, Config.in and external.mk.",
  }),
};

const options = {
  buildroot: {
    repo: mkOption({
      type: types.str,
      readBy: "nobody: accepted from existing trees",
      default: "https://github.com/buildroot/buildroot.git",
      example: "https://git.example.org/buildroot.git",
      description: "Repository of Buildroot.",
    }),
    version: mkOption({
      type: types.nullOr(types.singleLineStr),
      readBy: "nobody: accepted from existing trees",
      default: null,
      example: "2025.11",
      description: "Tag or commit of Buildroot.",
    }),
    defconfig: mkOption({
      type: types.nullOr(types.strMatching("[A-Za-z0-9_-]+_defconfig")),
      readBy: "nobody: accepted from existing trees",
      default: (config: {
        readonly buildroot: { readonly rpi: { readonly defconfig: string | null } };
      }): string | null => config.buildroot.rpi.defconfig,
      defaultText: "buildroot.rpi.defconfig",
      example: "raspberrypicm5io_defconfig",
      description: "Configuration that is started from.",
    }),
    per_package_dirs: mkOption({
      type: types.bool,
      default: false,
      description: "Whether each package is built against its own dependencies only (BR2_PER_PACKAGE_DIRECTORIES).",
    }),
    compression: mkOption({
      type: types.enum(compressions),
      default: "none",
      description: "Compression of the ext image (BR2_TARGET_ROOTFS_EXT2_*).",
    }),
    expand_size_mb: mkOption({
      type: types.nullOr(types.ints.positive),
      default: null,
      example: 2300,
      description: "Size of the ext image in MiB (BR2_TARGET_ROOTFS_EXT2_SIZE).",
    }),
    packages: mkOption({
      type: types.attrsOf(types.bool),
      default: {},
      example: { dnsmasq: true, "nss-mdns": true, "libcamera-apps": false },
      description: "Packages of Buildroot that are, or are not, built (BR2_PACKAGE_*).",
    }),
    package_versions: mkOption({
      type: types.attrsOf(types.singleLineStr),
      default: {},
      example: { nodejs: "22.0.0" },
      description: "Versions of packages that have a symbol for it (BR2_PACKAGE_*_VERSION).",
    }),
    symbols: mkOption({
      type: types.attrsOf(types.oneOf([types.bool, types.int, types.float, types.singleLineStr])),
      default: {},
      example: { BR2_TARGET_ROOTFS_EXT2_LABEL: "ACTIVE" },
      description: "Further symbols; BR2_ is put in front where it is missing.",
    }),
    external: mkOption({
      type: types.listOf(
        types.coercedTo(
          types.str,
          (src) => ({ src, packages: [] as readonly string[] }),
          types.submodule({ options: externalTree }),
        ),
      ),
      default: [],
      example: ["assets/buildroot"],
      description: "Further trees of packages and boards (BR2_EXTERNAL).",
    }),
    linux: {
      fragments: mkOption({
        type: types.listOf(types.str),
        default: [],
        example: ["@assets/linux/usb-gadget.fragment"],
        description: "Fragments of the kernel's configuration (BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES).",
      }),
      patches: mkOption({
        type: types.listOf(types.str),
        default: [],
        example: ["assets/linux/0001-fan.patch"],
        description: "Patches of the kernel, files or directories (BR2_LINUX_KERNEL_PATCH).",
      }),
    },
    rpi: {
      arch: mkOption({
        type: types.enum(["aarch64", "arm64"]),
        readBy: "nobody: accepted from existing trees",
        default: "aarch64",
        description: "Architecture of the board.",
      }),
      board: mkOption({
        type: types.nullOr(types.str),
        readBy: "nobody: accepted from existing trees",
        default: null,
        example: "cm5",
        description: "Name of the board, for reports.",
      }),
      defconfig: mkOption({
        type: types.nullOr(types.strMatching("[A-Za-z0-9_-]+_defconfig")),
        readBy: "nobody: accepted from existing trees",
        default: null,
        example: "raspberrypicm5io_defconfig",
        description: "What `buildroot.defconfig` is when it is not set.",
      }),
    },
    rendered: mkOption({
      type: types.attrsOf(types.str),
      readOnly: true,
      internal: true,
      description: "Each file that a Buildroot build is given, by name.",
    }),
    starting_point: {
      enabled: mkOption({
        type: types.bool,
        default: true,
        description:
          "Whether the root file system starts from packages that are unpacked, or from a tree that was made elsewhere, rather than from a Buildroot build.",
      }),
      rootfs_tar: mkOption({
        type: types.nullOr(types.str),
        default: null,
        example: "rootfs.tar.xz",
        description:
          "Local archive of a root file system for arm64 to start from, plain or compressed, with its owners, modes, hard links and extended attributes such as file capabilities; access control lists are not read, and the log names the files that have them. Its files win over those of packages; what is staged, accounts, names and the kernel's modules come over it.",
      }),
      rootfs_dir: mkOption({
        type: types.nullOr(types.str),
        default: null,
        example: "rootfs",
        description:
          "The same as a local directory. Everything in it becomes root's, of modes only `executable` is kept, extended attributes are not, and hard links become copies: for set-user-id programs, file capabilities (`ping`) and other owners take `rootfs_tar`. The log names programs that suffer.",
      }),
      image: mkOption({
        type: types.nullOr(types.str),
        default: null,
        example: "raspios.img",
        description:
          "The same as a local image of a disk, or of an ext file system, not compressed. Owners, modes, hard links and extended attributes are kept; devices and sockets are not.",
      }),
      image_partition: mkOption({
        type: types.nullOr(types.strMatching("(.*[^0-9])?[1-9][0-9]*")),
        default: null,
        example: "2",
        description:
          "Partition of `image`, as a number or a name that ends with it, such as /dev/loop0p2. By default the largest with an ext file system.",
      }),
      packages: {
        enabled: mkOption({
          type: types.bool,
          default: (config: {
            readonly buildroot: {
              readonly starting_point: {
                readonly rootfs_tar: string | null;
                readonly rootfs_dir: string | null;
                readonly image: string | null;
              };
            };
          }): boolean => importedTrees(config.buildroot.starting_point).length === 0,
          defaultText: "true, unless the base is a tree that was made elsewhere",
          description:
            "Whether the packages of `install` are unpacked; below a tree that was made elsewhere, if there is one.",
        }),
        install: mkOption({
          type: types.listOf(types.strMatching("[a-z0-9][a-z0-9+.-]+")),
          unordered: true,
          default: [],
          example: ["dnsmasq", "tcpdump"],
          description: "Debian packages of the target, each with all that it depends on. Pinned in flake.lock.",
        }),
        exclude: mkOption({
          type: types.listOf(types.strMatching("[a-z0-9][a-z0-9+.-]+")),
          default: [],
          example: ["perl-base"],
          description:
            "Packages to leave out although others depend on them: those that only maintainer scripts need, which never run here.",
        }),
        pockets: mkOption({
          type: types.listOf(types.enum(["security", "backports"])),
          default: [],
          description:
            "Parts of the release to take newer versions from. Their files go away sooner than those of the release, so pins rot faster.",
        }),
      },
      leave_out: mkOption({
        type: types.listOf(types.str),
        default: ["usr/share/doc", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man"],
        example: ["usr/share/doc"],
        description: "Paths of packages that do not go into the image.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    buildroot: typeof options;
  }
}

/** The keys that name a tree that was made elsewhere, with their paths. */
export function importedTrees(point: {
  readonly rootfs_tar: string | null;
  readonly rootfs_dir: string | null;
  readonly image: string | null;
}): readonly (readonly [key: "rootfs_tar" | "rootfs_dir" | "image", path: string])[] {
  return (["rootfs_tar", "rootfs_dir", "image"] as const).flatMap((key) => {
    const path = point[key];
    return path === null ? [] : [[key, path] as const];
  });
}

/** Buildroot itself drops what is wrong with these, and says so in a line of its log. */
const symbols = tolerable(({ buildroot }) => [
  ...contradictions(buildroot),
  ...deadPackageProblems(
    buildroot.packages,
    buildroot.external.flatMap(({ packages }) => packages),
  ),
]);

/** The base of the root file system. */
export default defineModule({
  name: "buildroot",
  options,
  config: {
    buildroot: {
      rendered: (config): Record<string, string> => ({
        "defconfig.fragment": renderDefconfig(config.buildroot),
        ...Object.fromEntries(
          config.buildroot.external.flatMap(({ src, packages }, index) =>
            packages.length === 0
              ? []
              : Object.entries(renderExternalTree(`HELIOS${index}`, `Packages of ${src}`, packages)).map(
                  ([name, text]) => [`external/HELIOS${index}/${name}`, text],
                ),
          ),
        ),
      }),
    },
    assertions: (config) => [
      ...symbols.assertions(config),
      ...startingPointProblems(config).map((message) => ({ assertion: false, message })),
      {
        assertion: config.buildroot.starting_point.enabled || config.buildroot.defconfig !== null,
        message:
          "buildroot.defconfig: a Buildroot build needs a configuration to start from. Set it, or buildroot.rpi.defconfig.",
      },
      {
        assertion: config.buildroot.starting_point.enabled,
        message:
          "buildroot.starting_point.enabled is false, but this version has no other base yet: the Buildroot build is to come.",
      },
    ],
    warnings: symbols.warnings,
  },
});

function startingPointProblems({ buildroot: { starting_point: point }, workspace }: Config): readonly string[] {
  const trees = importedTrees(point);
  return [
    ...(trees.length > 1
      ? [
          `buildroot.starting_point: there can be one root file system to start from, and these are set: ${trees.map(([key]) => key).join(", ")}. Leave one.`,
        ]
      : []),
    ...trees.flatMap(([key, path]) =>
      workspacePath(workspace, path) === undefined
        ? [`buildroot.starting_point.${key}: ${workspaceProblem(workspace, path)}`]
        : [],
    ),
    ...(trees.length === 0 && !point.packages.enabled
      ? ["buildroot.starting_point.packages.enabled is false, and there is no tree to start from. Set rootfs_tar."]
      : []),
    ...(point.image_partition !== null && point.image === null
      ? ["buildroot.starting_point.image_partition is set, and image is not. Set both, or neither."]
      : []),
  ];
}
