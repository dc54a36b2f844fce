/** The keys of `program`, as HeliOS names them. */
import { mkOption, types } from "#lib/evaluator/index.ts";
import { octalMode } from "../file-mode.ts";
import { imagePath } from "../image-path.ts";
import { removed } from "../removed.ts";
import { neverRead } from "../removed-options.ts";

const artifactId = types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*");
const variables = mkOption({ type: types.attrsOf(types.str), default: {}, description: "Environment variables." });
const nullable = (description: string, example?: string) =>
  mkOption({
    type: types.nullOr(types.str),
    default: null,
    description,
    ...(example === undefined ? {} : { example }),
  });

/** What makes an artifact or an installed item depend on inputs. */
const conditions = {
  enabled_if: mkOption({
    type: types.listOf(types.singleLineStr),
    default: [],
    example: ["camera", "channel!=stable"],
    description: "Conditions on inputs that must all hold: `key`, `!key`, `key=value`, `key!=value`.",
  }),
  disabled_if: mkOption({
    type: types.listOf(types.singleLineStr),
    default: [],
    description: "Conditions on inputs of which none may hold.",
  }),
};

const artifactOptions = {
  id: mkOption({
    type: artifactId,
    example: "helios-engine",
    description: "Name of the artifact, unique among all artifacts.",
  }),
  mode: mkOption({
    type: types.enum(["build", "prebuilt", "auto"]),
    default: "auto",
    description: "Whether it is built, or `prebuilt_path` is taken; `auto` takes that when it is set.",
  }),
  profile: nullable("Entry of `program.profiles`; `program.default_profile` by default.", "aarch64-linux"),
  check_ids: mkOption({
    type: types.listOf(types.str),
    default: [],
    description: "Entries of `program.checks` that run before it is built; those of the whole group by default.",
  }),
  ...conditions,
  prebuilt_path: nullable("Local file or directory that is taken instead of building.", "@prebuilt/helios-api"),
  env: variables,
};

const modulePart = (applies: string) => ({
  enabled: mkOption({ type: types.bool, default: true, description: "Whether these artifacts are built at all." }),
  workspace_dir: nullable(`Local directory that ${applies} come from unless they name another one.`),
  check_ids: mkOption({
    type: types.listOf(types.str),
    default: [],
    description: "Checks of artifacts that name none.",
  }),
});

/** One entry of `program.rust.artifacts`. */
export const rustArtifact = {
  ...artifactOptions,
  package: mkOption({
    type: types.str,
    default: (config: { readonly id: string }): string => config.id,
    defaultText: "the artifact's id",
    description: "Cargo package to build.",
  }),
  bin: nullable("Program of the package; the package's name by default."),
  kind: mkOption({
    type: types.enum(["bin", "cdylib"]),
    default: "bin",
    description: "What is taken from the build: a program, or a shared library.",
  }),
  cargo_profile: mkOption({
    type: types.strMatching("[A-Za-z0-9_-]+"),
    default: "release",
    description: "Cargo profile to build with.",
  }),
  cargo: {
    profile: {
      lto: mkOption({
        type: types.nullOr(types.either(types.bool, types.enum(["thin", "fat", "off"]))),
        default: null,
        description: "Optimisation across crates.",
      }),
      codegen_units: mkOption({
        type: types.nullOr(types.ints.positive),
        default: null,
        description: "Parts that a crate is compiled in.",
      }),
      opt_level: mkOption({
        type: types.nullOr(types.either(types.ints.between(0, 3), types.enum(["s", "z"]))),
        default: null,
        description: "How much is optimised.",
      }),
      strip: mkOption({
        type: types.nullOr(types.either(types.bool, types.enum(["none", "debuginfo", "symbols"]))),
        default: null,
        description: "What the compiler strips; the installed file is stripped anyway.",
      }),
    },
  },
  workspace_dir: nullable(
    "Local directory of the Cargo workspace or package; that of `program.rust.workspace_dir` by default.",
  ),
  manifest_path: nullable("Cargo.toml, relative to the workspace directory."),
  target_dir: removed("Each build has a target directory of its own, in the sandbox."),
  output_path: removed("The built file follows from kind, package and bin. For anything else, use program.custom."),
  build_command: removed("Cargo is run offline with the pinned compiler. For another command, use program.custom."),
  cwd: removed("Use workspace_dir."),
  source: removed(
    "Fetching sources of artifacts from git is not implemented. Check the source out, and set workspace_dir.",
  ),
};

/** One entry of `program.custom.artifacts`. */
export const customArtifact = {
  ...artifactOptions,
  build_command: mkOption({
    type: types.listOf(types.str),
    default: [],
    example: ["make", "CC=aarch64-linux-gnu-gcc"],
    description: "Command and its arguments, run in a copy of the sources.",
  }),
  cwd: nullable("Local directory with the sources; `program.custom.workspace_dir` by default."),
  output_path: nullable("What the command makes, relative to the sources.", "dist"),
  kind: mkOption({
    type: types.enum(["file", "dir"]),
    default: "file",
    description: "Whether `output_path` is a file or a directory.",
  }),
  environment: nullable(
    "Entry of `program.environments` that the command runs in; the profile's `container_image` by default.",
    "cross-c",
  ),
  after_artifacts: mkOption({
    type: types.listOf(types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*[?]?")),
    default: [],
    example: ["helios-api", "helios-theme?"],
    description:
      "Artifacts built before, each given as variable ARTIFACT_ID; with `?` at the end, only if it is selected.",
  }),
};

/** One entry of `program.install.items`. */
const installItem = {
  artifact: mkOption({ type: artifactId, description: "Artifact to install." }),
  dest: mkOption({
    type: imagePath,
    example: "/usr/bin/helios-engine",
    description: "Absolute path in the image.",
  }),
  mode: mkOption({
    type: octalMode,
    default: "0755",
    description: "Mode, in octal digits or as a number; of a directory, that of itself.",
  }),
  owner: mkOption({ type: types.str, default: "root", description: "Name of the owning user." }),
  group: mkOption({ type: types.str, default: "root", description: "Name of the owning group." }),
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
  cwd: nullable("Local directory to run in a copy of; that of the artifact by default."),
  env: variables,
  environment: nullable("Entry of `program.environments` that the command runs in; that of the artifact by default."),
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
      description: "Named settings of builds: target, tools, environment.",
    }),
    environments: mkOption({
      type: types.attrsOf(
        types.submodule({
          options: {
            packages: mkOption({
              type: types.nonEmptyListOf(types.strMatching("[a-z0-9][a-z0-9+.-]+")),
              description: "Debian packages of the build machine, pinned in flake.lock.",
            }),
          },
        }),
      ),
      default: {},
      example: { "helios-cross": { packages: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "make"] } },
      description: "Roots of tools that commands run in, besides cross-c, cross-rust and image-tools.",
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
        description: "Checks that run before all artifacts, beside theirs.",
      }),
      cwd: nullable("Local directory that these checks run in a copy of; `workspace.root_dir` by default."),
    },
    rust: {
      ...modulePart("Rust artifacts"),
      artifacts: mkOption({
        type: types.listOf(types.submodule({ options: rustArtifact })),
        default: [],
        description: "Rust programs and libraries, cross-built from source for the target.",
      }),
    },
    custom: {
      ...modulePart("custom artifacts"),
      artifacts: mkOption({
        type: types.listOf(types.submodule({ options: customArtifact })),
        default: [],
        description: "What any command builds, in a named environment and without network.",
      }),
    },
    java: removed(
      "No environment with a Java compiler is pinned. Use program.custom with an entry of program.environments.",
    ),
    install: {
      enabled: mkOption({ type: types.bool, default: true, description: "Whether items are installed." }),
      items: mkOption({
        type: types.listOf(types.submodule({ options: installItem })),
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
