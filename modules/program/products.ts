/** Artifacts as derivations. */
import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { inputVariables, isSelected } from "../inputs/resolve.ts";
import { workspacePath } from "../workspace.ts";

const customScript = source({ path: join(import.meta.dirname, "custom.sh") });
const checkScript = source({ path: join(import.meta.dirname, "check.sh") });

type Program = Config["program"];
/** One entry of `program.rust.artifacts`. */
export type RustArtifact = Program["rust"]["artifacts"][number];
/** One entry of `program.custom.artifacts`. */
export type CustomArtifact = Program["custom"]["artifacts"][number];
type Group = "rust" | "custom";

/** The tool roots that need no entry in `program.environments`. */
export const builtInEnvironments = ["cross-c", "cross-rust", "image-tools"] as const;

/** Artifacts that are switched on, by their conditions and their groups. */
export function selectedArtifacts(config: Config): {
  readonly rust: readonly RustArtifact[];
  readonly custom: readonly CustomArtifact[];
} {
  const { enabled, rust, custom } = config.program;
  const values = config.inputs.resolved;
  return {
    rust: enabled && rust.enabled ? rust.artifacts.filter((artifact) => isSelected(artifact, values)) : [],
    custom: enabled && custom.enabled ? custom.artifacts.filter((artifact) => isSelected(artifact, values)) : [],
  };
}

/**
 * The product of each selected artifact: a string that mentions its derivation
 * or source. One whose sources are not known is left out; assertions tell of it.
 */
export function products(config: Config, pkgs: Packages): Record<string, string> {
  const { rust, custom } = selectedArtifacts(config);
  const made: Record<string, string> = {};
  const add = (
    artifact: RustArtifact | CustomArtifact,
    directory: string | undefined,
    build: (directory: string) => string,
  ): void => {
    if (isPrebuilt(artifact)) {
      const path = workspacePath(config.workspace, artifact.prebuilt_path ?? "");
      if (path !== undefined) made[artifact.id] = `${source({ path })}`;
    } else if (directory !== undefined) {
      made[artifact.id] = build(directory);
    }
  };
  for (const artifact of rust) {
    add(artifact, rustDirectory(config, artifact), (directory) => rustProduct(config, pkgs, artifact, directory));
  }
  for (const artifact of inOrder(custom).artifacts) {
    add(artifact, customDirectory(config, artifact), (directory) =>
      customProduct(config, pkgs, artifact, directory, made),
    );
  }
  return made;
}

/** Whether the artifact is taken as it is, rather than built. */
export function isPrebuilt({ mode, prebuilt_path }: Pick<RustArtifact, "mode" | "prebuilt_path">): boolean {
  return mode === "prebuilt" || (mode === "auto" && prebuilt_path !== null);
}

/** The local directory that a rust artifact is built from; undefined when none is known. */
export function rustDirectory(config: Config, artifact: RustArtifact): string | undefined {
  const directory = artifact.workspace_dir ?? config.program.rust.workspace_dir;
  return directory === null ? undefined : workspacePath(config.workspace, directory);
}

/** The same for a custom artifact. */
export function customDirectory(config: Config, artifact: CustomArtifact): string | undefined {
  const directory = artifact.cwd ?? config.program.custom.workspace_dir;
  return directory === null ? undefined : workspacePath(config.workspace, directory);
}

function rustProduct(config: Config, pkgs: Packages, artifact: RustArtifact, directory: string): string {
  const { id, package: package_, bin, kind, cargo_profile, manifest_path } = artifact;
  const profile = profileOf(config, artifact);
  const { RUSTFLAGS = "", ...env } = { ...profile?.env, ...cargoVariables(artifact), ...artifact.env };
  const program = bin ?? package_;
  const checks = checksOf(config, pkgs, "rust", artifact, directory, "cross-rust");
  const built: Derivation = pkgs.rustArtifact({
    name: id,
    source: directory,
    package: package_,
    ...(kind === "bin" ? { binaries: [program] } : { libraries: [package_] }),
    ...(profile === undefined || profile.target === null ? {} : { target: profile.target }),
    profile: cargo_profile,
    cargoFlags: [
      ...(bin === null ? [] : ["--bin", bin]),
      ...(manifest_path === null ? [] : ["--manifest-path", manifest_path]),
    ],
    rustFlags: RUSTFLAGS.split(/\s+/).filter((flag) => flag !== ""),
    env: {
      ...env,
      ...inputVariables(config.inputs.resolved),
      ...(checks.length === 0 ? {} : { checks: checks.join(" ") }),
    },
  });
  return kind === "bin" ? `${built}/bin/${program}` : `${built}/lib/lib${package_.replaceAll("-", "_")}.so`;
}

/** Cargo's own variables for settings of a profile. */
export function cargoVariables({ cargo_profile, cargo }: RustArtifact): Record<string, string> {
  const prefix = `CARGO_PROFILE_${cargo_profile.toUpperCase().replaceAll("-", "_")}`;
  return Object.fromEntries(
    (["lto", "codegen_units", "opt_level", "strip"] as const).flatMap((key) => {
      const value = cargo.profile[key];
      return value === null ? [] : [[`${prefix}_${key.toUpperCase()}`, String(value)]];
    }),
  );
}

function customProduct(
  config: Config,
  pkgs: Packages,
  artifact: CustomArtifact,
  directory: string,
  made: Readonly<Record<string, string>>,
): string {
  const profile = profileOf(config, artifact);
  const environment = artifact.environment ?? profile?.container_image ?? "cross-c";
  const checks = checksOf(config, pkgs, "custom", artifact, directory, environment);
  const before = artifact.after_artifacts.flatMap((reference) => {
    const id = reference.replace(/[?]$/, "");
    return made[id] === undefined ? [] : [[`ARTIFACT_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`, made[id]]];
  });
  const built = pkgs.mkDerivation({
    name: artifact.id,
    environment: environmentNamed(config, pkgs, environment),
    script: customScript,
    env: {
      ...profile?.env,
      ...(profile === undefined || profile.target === null ? {} : { BUILD_TARGET: profile.target }),
      ...artifact.env,
      ...inputVariables(config.inputs.resolved),
      ...Object.fromEntries(before),
      ...(checks.length === 0 ? {} : { checks: checks.join(" ") }),
      source: source({ path: directory }),
      command: artifact.build_command.map(quoted).join(" "),
      result: artifact.output_path ?? "",
      kind: artifact.kind,
    },
  });
  return `${built}`;
}

/** The checks that run before an artifact is built, and those of `program.lint`. */
function checksOf(
  config: Config,
  pkgs: Packages,
  group: Group,
  artifact: RustArtifact | CustomArtifact,
  directory: string,
  environment: string,
): Derivation[] {
  const { lint, checks } = config.program;
  const own = artifact.check_ids.length > 0 ? artifact.check_ids : config.program[group].check_ids;
  const lintDirectory = workspacePath(config.workspace, lint.cwd ?? "") ?? directory;
  return [
    ...checks.filter(({ id }) => own.includes(id)).map((check) => ({ check, directory })),
    ...(lint.enabled ? checks.filter(({ id }) => lint.check_ids.includes(id)) : []).map((check) => ({
      check,
      directory: lintDirectory,
    })),
  ]
    .filter(
      ({ check: { applies_to } }) =>
        applies_to.length === 0 || applies_to.includes(group) || applies_to.includes("lint"),
    )
    .map(({ check, directory }) => checkDerivation(config, pkgs, check, directory, check.environment ?? environment));
}

function checkDerivation(
  config: Config,
  pkgs: Packages,
  check: Program["checks"][number],
  directory: string,
  environment: string,
): Derivation {
  const chosen = check.cwd === null ? directory : (workspacePath(config.workspace, check.cwd) ?? directory);
  return pkgs.mkDerivation({
    name: `check-${check.id}`,
    environment: environmentNamed(config, pkgs, environment),
    script: checkScript,
    env: {
      ...check.env,
      ...inputVariables(config.inputs.resolved),
      source: source({ path: chosen }),
      command: check.run.map(quoted).join(" "),
      check: check.id,
      policy: config.program.check_policy,
    },
  });
}

function profileOf(
  config: Config,
  { profile }: Pick<RustArtifact, "profile">,
): Program["profiles"][string] | undefined {
  const name = profile ?? config.program.default_profile;
  return name === null ? undefined : config.program.profiles[name];
}

function environmentNamed(config: Config, pkgs: Packages, name: string): Derivation {
  const declared = config.program.environments[name];
  if (declared !== undefined) {
    return pkgs.environment({
      name,
      suite: "trixie",
      components: ["main"],
      architectures: ["amd64"],
      packages: [...basePackages, ...declared.packages],
    });
  }
  if (name === "cross-rust") return pkgs.environments.crossRust;
  return name === "image-tools" ? pkgs.environments.imageTools : pkgs.environments.crossC;
}

/** What the scripts of builds themselves run. */
const basePackages = ["bash", "coreutils", "dash", "diffutils", "findutils", "grep", "libc-bin", "sed", "tar"];

/** Custom artifacts, each after those that it names; and what keeps that from being an order. */
export function inOrder(artifacts: readonly CustomArtifact[]): {
  readonly artifacts: readonly CustomArtifact[];
  readonly problems: readonly string[];
} {
  const byId = new Map(artifacts.map((artifact) => [artifact.id, artifact]));
  const ordered: CustomArtifact[] = [];
  const problems: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (artifact: CustomArtifact, chain: readonly string[]): void => {
    if (state.get(artifact.id) === "done") return;
    if (state.get(artifact.id) === "open") {
      problems.push(
        `after_artifacts go in a circle: ${[...chain.slice(chain.indexOf(artifact.id)), artifact.id].join(" → ")}.`,
      );
      return;
    }
    state.set(artifact.id, "open");
    for (const reference of artifact.after_artifacts) {
      const before = byId.get(reference.replace(/[?]$/, ""));
      if (before !== undefined) visit(before, [...chain, artifact.id]);
    }
    state.set(artifact.id, "done");
    ordered.push(artifact);
  };
  for (const artifact of artifacts) visit(artifact, []);
  return { artifacts: ordered, problems };
}

/** A word as the shell reads it literally. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
