import { isAbsolute } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { repeated } from "./repeated.ts";

const artifactId = types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*");

const rustArtifact = {
  id: mkOption({ type: artifactId, example: "helios-engine", description: "Name of the artifact, unique among all artifacts." }),
  package: mkOption({
    type: types.str,
    default: (config: { readonly id: string }): string => config.id,
    defaultText: "the artifact's id",
    description: "Cargo package to build.",
  }),
  kind: mkOption({
    type: types.enum(["bin", "cdylib"]),
    default: "bin",
    description: "What is taken from the build: a program, or a shared library.",
  }),
  workspace_dir: mkOption({
    type: types.nullOr(types.str),
    default: null,
    description: "Absolute path of the Cargo workspace or package; that of `program.rust.workspace_dir` by default.",
  }),
};

const installItem = {
  artifact: mkOption({ type: artifactId, description: "Artifact to install." }),
  dest: mkOption({
    type: types.strMatching("/[^\\n]*[^/\\n]"),
    example: "/usr/bin/helios-engine",
    description: "Absolute path in the image.",
  }),
  mode: mkOption({ type: types.strMatching("[0-7]{3,4}"), default: "0755", description: "Mode, in octal." }),
};

const options = {
  program: {
    rust: {
      workspace_dir: mkOption({
        type: types.nullOr(types.str),
        default: null,
        description: "Absolute path of the Cargo workspace that artifacts come from unless they name another one.",
      }),
      artifacts: mkOption({
        type: types.listOf(types.submodule({ options: rustArtifact })),
        default: [],
        description: "Rust programs and libraries, cross-built from source for the target.",
      }),
    },
    install: {
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
      description: "The file of each artifact, by id.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    program: typeof options;
  }
}

/** Programs that are built from source, and where they are installed. */
export default defineModule({
  name: "program",
  options,
  config: {
    program: {
      products: (config, { pkgs }) =>
        Object.fromEntries(
          config.program.rust.artifacts.map((artifact) => [
            artifact.id,
            rustProduct(pkgs, artifact, artifact.workspace_dir ?? config.program.rust.workspace_dir),
          ]),
        ),
    },
    stage: {
      files: (config) =>
        config.program.install.items.map(({ artifact, dest, mode }) => ({
          dst: dest,
          mode,
          src: config.program.products[artifact] ?? null,
        })),
    },
    assertions: (config) => [
      ...repeated(config.program.rust.artifacts.map(({ id }) => id)).map((id) => ({
        assertion: false,
        message: `program.rust.artifacts: the id '${id}' is used more than once.`,
      })),
      ...config.program.install.items.map(({ artifact, dest }) => ({
        assertion: Object.hasOwn(config.program.products, artifact),
        message: `program.install.items: '${dest}' is to hold the artifact '${artifact}', which nothing builds. There are: ${Object.keys(config.program.products).join(", ") || "none"}.`,
      })),
      ...config.program.rust.artifacts.map(({ id, workspace_dir }) => {
        const directory = workspace_dir ?? config.program.rust.workspace_dir;
        return {
          assertion: directory !== null && isAbsolute(directory),
          message: `program.rust.artifacts: '${id}' needs an absolute workspace_dir; write import.meta.dirname in front of a relative one.`,
        };
      }),
    ],
  },
});

/** The installed file as a string that mentions its derivation. */
function rustProduct(
  pkgs: Packages,
  { id, package: package_, kind }: { readonly id: string; readonly package: string; readonly kind: "bin" | "cdylib" },
  directory: string | null,
): string {
  const built: Derivation = pkgs.rustArtifact({
    name: id,
    source: directory ?? "",
    package: package_,
    ...(kind === "bin" ? { binaries: [package_] } : { libraries: [package_] }),
  });
  return kind === "bin" ? `${built}/bin/${package_}` : `${built}/lib/lib${package_.replaceAll("-", "_")}.so`;
}
