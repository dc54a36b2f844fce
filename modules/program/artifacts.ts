/** What all kinds of artifacts have in common: selection, local directory, profile, tools. */
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { isSelected } from "../inputs/resolve.ts";
import { workspacePath } from "../workspace.ts";
import { pinnedAs } from "../pins.ts";
import { gitDirectory } from "./git-source.ts";

type Program = Config["program"];
/** One entry of `program.rust.artifacts`. */
export type RustArtifact = Program["rust"]["artifacts"][number];
/** One entry of `program.java.artifacts`. */
export type JavaArtifact = Program["java"]["artifacts"][number];
/** One entry of `program.custom.artifacts`. */
export type CustomArtifact = Program["custom"]["artifacts"][number];
/** An artifact of any kind. */
export type Artifact = RustArtifact | JavaArtifact | CustomArtifact;
/** A kind of artifacts, each a table of `program`. */
export type Group = (typeof groups)[number];

/** The kinds of artifacts, in the order in which they are built: custom ones may need the others. */
export const groups = ["rust", "java", "custom"] as const;

/** The tool roots that need no entry in `program.environments`. */
export const builtInEnvironments = ["cross-c", "cross-rust", "image-tools", "java", "native-rust", "node"] as const;

/** Every artifact, switched on or not. */
export function declaredArtifacts({ program }: Config): readonly Artifact[] {
  return groups.flatMap((group): readonly Artifact[] => program[group].artifacts);
}

/** Artifacts that are switched on, by their conditions and their groups. */
export function selectedArtifacts(config: Config): {
  readonly rust: readonly RustArtifact[];
  readonly java: readonly JavaArtifact[];
  readonly custom: readonly CustomArtifact[];
} {
  const { enabled, rust, java, custom } = config.program;
  const values = config.inputs.resolved;
  const select = <A extends Artifact>(group: { readonly enabled: boolean; readonly artifacts: readonly A[] }) =>
    enabled && group.enabled ? group.artifacts.filter((artifact) => isSelected(artifact, values)) : [];
  return { rust: select(rust), java: select(java), custom: select(custom) };
}

/** Whether the artifact is taken as it is, rather than built. */
export function isPrebuilt({ mode, prebuilt_path }: Pick<RustArtifact, "mode" | "prebuilt_path">): boolean {
  return mode === "prebuilt" || (mode === "auto" && prebuilt_path !== null);
}

/** The local directory that an artifact is built from, as it is written; null when none is named. */
export function writtenDirectory(config: Config, group: Group, artifact: Artifact): string | null {
  const own = "workspace_dir" in artifact ? (artifact.workspace_dir ?? artifact.cwd) : artifact.cwd;
  return own ?? config.program[group].workspace_dir;
}

/** The local directory that an artifact is built from, or a string that stands for one in the store; undefined when none is known. */
export function directoryOf(config: Config, group: Group, artifact: Artifact): string | undefined {
  if ("source" in artifact && artifact.source !== null) return gitDirectory(artifact.id, artifact.source);
  const directory = writtenDirectory(config, group, artifact);
  return directory === null ? undefined : workspacePath(config.workspace, directory);
}

/** The profile that an artifact names, else the default one. */
export function profileOf(
  config: Config,
  { profile }: Pick<RustArtifact, "profile">,
): Program["profiles"][string] | undefined {
  const name = profile ?? config.program.default_profile;
  return name === null ? undefined : config.program.profiles[name];
}

/** Whether there are tools of this name. */
export function isEnvironment(config: Config, name: string): boolean {
  return (builtInEnvironments as readonly string[]).includes(name) || Object.hasOwn(config.program.environments, name);
}

/** The tools that an artifact asks for itself or by its profile, else those that its kind has. */
export function environmentOf(config: Config, group: Group, artifact: Artifact): string {
  const own = "environment" in artifact ? artifact.environment : null;
  const image = profileOf(config, artifact)?.container_image ?? null;
  if (own !== null) return own;
  // Elsewhere a container brings what its profile is for; here only the names of environments mean something.
  if (image !== null && isEnvironment(config, image) && group === "custom") return image;
  switch (group) {
    case "rust":
      return "cross-rust";
    case "java":
      return "java";
    case "custom":
      return "cross-c";
  }
}

/** The tool root of a name. */
export function environmentNamed(config: Config, pkgs: Packages, name: string): Derivation {
  const declared = config.program.environments[name];
  if (declared !== undefined) {
    return pkgs.environment({
      name: pinnedAs(config, name, name, [declared.packages]),
      suite: "trixie",
      components: ["main"],
      architectures: ["amd64"],
      packages: [...basePackages, ...declared.packages],
    });
  }
  const { environments } = pkgs;
  switch (name as (typeof builtInEnvironments)[number]) {
    case "cross-rust":
      return environments.crossRust;
    case "image-tools":
      return environments.imageTools;
    case "java":
      return environments.java;
    case "native-rust":
      return environments.nativeRust;
    case "node":
      return environments.node;
    case "cross-c":
      return environments.crossC;
    default:
      // Assertions tell of a name that there is not.
      return environments.crossC;
  }
}

/** What the scripts of builds themselves run. */
const basePackages = ["bash", "coreutils", "dash", "diffutils", "findutils", "grep", "libc-bin", "sed", "tar"];

/** A command as the shell reads it literally. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
