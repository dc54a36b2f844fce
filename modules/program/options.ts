/** The keys of `program`, as HeliOS names them. */
import { mkOption, types } from "#lib/evaluator/index.ts";
import { octalMode } from "../file-mode.ts";
import { imagePath } from "../image-path.ts";
import { removed } from "../removed.ts";
import { neverRead } from "../removed-options.ts";
import {
  artifactId,
  conditions,
  customArtifact,
  javaArtifact,
  modulePart,
  nullable,
  rustArtifact,
  variables,
} from "./artifact-options.ts";

/** One entry of `program.install.items`. */
const installItem = {
  artifact: mkOption({ type: artifactId, example: "helios-api", description: "Artifact to install." }),
  dest: mkOption({
    type: imagePath,
    example: "/usr/bin/helios-engine",
    description: "Absolute path in the image.",
  }),
  mode: mkOption({
    type: octalMode,
    default: "0755",
    example: "0755",
    description: "Mode, in octal digits or as a number; of a directory, that of itself.",
  }),
  owner: mkOption({ type: types.str, default: "root", example: "helios-api", description: "Name of the owning user." }),
  group: mkOption({
    type: types.str,
    default: "root",
    example: "helios-ipc",
    description: "Name of the owning group.",
  }),
  replace: mkOption({ type: types.bool, default: false, description: "Whether it may replace what a package ships." }),
  ...conditions,
};

const check = {
  id: mkOption({ type: artifactId, example: "cargo-fmt", description: "Name of the check." }),
  run: mkOption({
    type: types.nonEmptyListOf(types.str),
    example: ["cargo", "fmt", "--check"],
    description: "Command and its arguments.",
  }),
  applies_to: mkOption({
    type: types.listOf(types.enum(["lint", "rust", "java", "custom"])),
    default: [],
    description: "Groups that the check is for; none: all.",
  }),
  cwd: nullable("Local directory to run in a copy of; that of the artifact by default.", "frontend"),
  env: variables,
  environment: nullable(
    "Entry of `program.environments` that the command runs in; that of the artifact by default.",
    "native-rust",
  ),
};

const profile = {
  target: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "aarch64-unknown-linux-gnu",
    description: "Rust's name of the target; in custom builds, the variable BUILD_TARGET.",
  }),
  container_image: nullable("Entry of `program.environments` that builds run in.", "cross-rust"),
  env: variables,
  linker: removed(neverRead("program.profiles.*.linker")),
  sysroot: removed(neverRead("program.profiles.*.sysroot")),
};

/** All of `program`. */
export const programOptions = {
  program: {
    enabled: mkOption({
      type: types.bool,
      default: true,
      description: "Whether programs are built and installed at all.",
    }),
    default_profile: nullable("Profile of artifacts that name none.", "aarch64-linux"),
    profiles: mkOption({
      type: types.attrsOf(types.submodule({ options: profile })),
      default: {},
      example: { "aarch64-linux": { env: { RUSTFLAGS: "-C target-cpu=cortex-a76" } } },
      description: "Named settings of builds: target, tools, environment.",
    }),
    environments: mkOption({
      type: types.attrsOf(
        types.submodule({
          options: {
            packages: mkOption({
              type: types.nonEmptyListOf(types.strMatching("[a-z0-9][a-z0-9+.-]+")),
              example: ["gcc-aarch64-linux-gnu", "make"],
              description: "Debian packages of the build machine, pinned in flake.lock.",
            }),
          },
        }),
      ),
      default: {},
      example: { "helios-cross": { packages: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "make"] } },
      description:
        "Roots of tools that commands run in, besides cross-c, cross-rust, native-rust, java, node and image-tools.",
    }),
    checks: mkOption({
      type: types.listOf(types.submodule({ options: check })),
      default: [],
      description: "Commands that judge sources.",
    }),
    check_policy: mkOption({
      type: types.enum(["required", "warn"]),
      default: "required",
      description: "Whether a check that fails stops the build, or only says so in its log.",
    }),
    lint: {
      enabled: mkOption({
        type: types.bool,
        default: true,
        description: "Whether checks run that no artifact asks for.",
      }),
      check_ids: mkOption({
        type: types.listOf(types.str),
        default: [],
        example: ["cargo-fmt"],
        description: "Checks that run before all artifacts, beside theirs.",
      }),
      cwd: nullable("Local directory that these checks run in a copy of; `workspace.root_dir` by default.", "frontend"),
    },
    rust: {
      ...modulePart("Rust artifacts"),
      artifacts: mkOption({
        type: types.listOf(types.submodule({ options: rustArtifact })),
        unordered: true,
        default: [],
        description: "Rust programs and libraries, cross-built from source for the target.",
      }),
    },
    custom: {
      ...modulePart("custom artifacts"),
      artifacts: mkOption({
        type: types.listOf(types.submodule({ options: customArtifact })),
        unordered: true,
        default: [],
        description: "What any command builds, in a named environment and without network.",
      }),
    },
    java: {
      ...modulePart("Java artifacts"),
      artifacts: mkOption({
        type: types.listOf(types.submodule({ options: javaArtifact })),
        unordered: true,
        default: [],
        description: "Java archives, compiled from source or made by a command.",
      }),
      runtime: mkOption({
        type: types.bool,
        default: true,
        description: "Whether the image gets a JRE, with all that it needs, where one of these archives is installed.",
      }),
    },
    install: {
      enabled: mkOption({ type: types.bool, default: true, description: "Whether items are installed." }),
      items: mkOption({
        type: types.listOf(types.submodule({ options: installItem })),
        unordered: true,
        default: [],
        description: "Where artifacts go in the image.",
      }),
    },
    products: mkOption({
      type: types.attrsOf(types.str),
      default: {},
      internal: true,
      description: "The file or directory of each artifact, by id.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    program: typeof programOptions;
  }
}
