/** The keys of artifacts, as HeliOS names them. */
import { mkOption, types } from "#lib/evaluator/index.ts";
import { removed } from "../removed.ts";
import { gitSource } from "./git-source.ts";

/** What an artifact or a check may be called. */
export const artifactId = types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*");
/** Variables of a command. */
export const variables = mkOption({
  type: types.attrsOf(types.str),
  default: {},
  example: { LIBCAMERA_BRANCH: "v0.6.0" },
  description: "Environment variables.",
});
/** A text that need not be given. */
export const nullable = (description: string, example?: string) =>
  mkOption({
    type: types.nullOr(types.str),
    default: null,
    description,
    ...(example === undefined ? {} : { example }),
  });

const relativePath = types.strMatching("(?!(.*/)?[.][.](/|$))[^/\\n][^\\n]*");

/** What makes an artifact or an installed item depend on inputs. */
export const conditions = {
  enabled_if: mkOption({
    type: types.listOf(types.singleLineStr),
    default: [],
    example: ["camera", "channel!=stable"],
    description: "Conditions on inputs that must all hold: `key`, `!key`, `key=value`, `key!=value`.",
  }),
  disabled_if: mkOption({
    type: types.listOf(types.singleLineStr),
    default: [],
    example: ["!camera"],
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
    example: ["cargo-test"],
    description: "Entries of `program.checks` that run before it is built; those of the whole group by default.",
  }),
  ...conditions,
  prebuilt_path: nullable("Local file or directory that is taken instead of building.", "@prebuilt/helios-api"),
  env: variables,
};

/** What each group of artifacts has. */
export const modulePart = (applies: string) => ({
  enabled: mkOption({ type: types.bool, default: true, description: "Whether these artifacts are built at all." }),
  workspace_dir: nullable(`Local directory that ${applies} come from unless they name another one.`, "backend"),
  check_ids: mkOption({
    type: types.listOf(types.str),
    default: [],
    example: ["cargo-test"],
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
    example: "helios-engine",
    description: "Cargo package to build.",
  }),
  bin: nullable("Program of the package; the package's name by default.", "helios-engine"),
  kind: mkOption({
    type: types.enum(["bin", "cdylib", "file", "dir"]),
    default: "bin",
    description: "What is taken from the build: a program, a shared library, or `output_path`, a file or a directory.",
  }),
  extra_sources: mkOption({
    type: types.listOf(types.strMatching("(?!(.*/)?[.][.](/|$))[^/\\n ][^\\n ]*")),
    default: [],
    example: ["assets"],
    description:
      "Files and directories of the workspace that the package needs besides its own crate and those that it depends on by path. A change anywhere else does not build it again.",
  }),
  build_command: mkOption({
    type: types.listOf(types.str),
    default: [],
    example: ["cargo", "xtask", "dist"],
    description: "Command to build with, instead of `cargo build`, run in a copy of the whole workspace.",
  }),
  output_path: nullable(
    "What is taken, relative to the workspace, where it does not follow from kind, package and bin.",
    "target/made",
  ),
  cwd: nullable("Another name of `workspace_dir`, as other artifacts have it.", "frontend"),
  cargo_profile: mkOption({
    type: types.strMatching("[A-Za-z0-9_-]+"),
    default: "release",
    example: "release",
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
        example: 1,
        description: "Parts that a crate is compiled in.",
      }),
      opt_level: mkOption({
        type: types.nullOr(types.either(types.ints.between(0, 3), types.enum(["s", "z"]))),
        default: null,
        example: "s",
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
    "backend",
  ),
  manifest_path: nullable("Cargo.toml, relative to the workspace directory.", "engine/Cargo.toml"),
  target_dir: removed("Each build has a target directory of its own, in the sandbox."),
  source: mkOption({
    type: types.nullOr(types.submodule({ options: gitSource })),
    default: null,
    description: "Sources from a git repository, instead of `workspace_dir`.",
  }),
};

/** One entry of `program.java.artifacts`. */
export const javaArtifact = {
  ...artifactOptions,
  cwd: nullable("Local directory with the sources; `program.java.workspace_dir` by default.", "frontend"),
  build_command: mkOption({
    type: types.listOf(types.str),
    default: [],
    example: ["make", "jar"],
    description:
      "Command to build with, run in a copy of the sources with a JDK. None: all `.java` files are compiled and packed. Times and order in a jar are made the same for every build either way.",
  }),
  output_path: nullable("What the command makes, relative to the sources.", "dist/app.jar"),
  source_dirs: mkOption({
    type: types.nonEmptyListOf(relativePath),
    default: ["."],
    example: ["src/main/java"],
    description: "Directories with the `.java` files, relative to the sources.",
  }),
  resource_dirs: mkOption({
    type: types.listOf(relativePath),
    default: [],
    example: ["src/main/resources"],
    description: "Directories whose content goes into the jar as it is.",
  }),
  class_path: mkOption({
    type: types.listOf(relativePath),
    default: [],
    example: ["lib/jna.jar"],
    description: "Jars to compile against, relative to the sources. The image needs them too.",
  }),
  main_class: mkOption({
    type: types.nullOr(types.strMatching("[A-Za-z_$][A-Za-z0-9_$.]*")),
    default: null,
    example: "org.example.Main",
    description: "Class that `java -jar` starts.",
  }),
  release: mkOption({
    type: types.ints.between(8, 21),
    default: 21,
    example: 17,
    description: "Version of Java that the classes are for.",
  }),
  environment: nullable("Entry of `program.environments` with a JDK; the pinned `java` by default.", "java"),
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
  cwd: nullable("Local directory with the sources; `program.custom.workspace_dir` by default.", "frontend"),
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
  npm_lock: nullable(
    "Local `package-lock.json`: its packages are fetched by their hashes and stand in `node_modules` beside the sources. None of their scripts run.",
    "package-lock.json",
  ),
  after_artifacts: mkOption({
    type: types.listOf(types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*[?]?")),
    default: [],
    example: ["helios-api", "helios-theme?"],
    description:
      "Artifacts built before, each given as variable ARTIFACT_ID; with `?` at the end, only if it is selected.",
  }),
};
