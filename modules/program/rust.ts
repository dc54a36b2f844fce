/** Rust artifacts as derivations. */
import type { DerivationOutput } from "#lib/derivations/derivation.ts";
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { rustTarget } from "#pkgs/rust/artifact.ts";
import { directoryOf, isPrebuilt, profileOf, type RustArtifact, shellCommand } from "./artifacts.ts";
import { commandProduct } from "./custom.ts";
import { commonVariables } from "./variables.ts";

/** The sources of single packages, by workspace. */
export type CrateSources = ReadonlyMap<string, ReadonlyMap<string, DerivationOutput>>;

/** Whether a plain `cargo build` makes the artifact. */
function isPlain({ build_command, kind, output_path }: RustArtifact): boolean {
  return build_command.length === 0 && output_path === null && (kind === "bin" || kind === "cdylib");
}

/** Takes each workspace apart, so that a change of one package does not build what comes from the others again. */
export function rustSources(config: Config, pkgs: Packages, artifacts: readonly RustArtifact[]): CrateSources {
  const wanted = new Map<string, RustArtifact[]>();
  for (const artifact of artifacts) {
    const directory = directoryOf(config, "rust", artifact);
    // A manifest elsewhere may belong to another workspace, so its package gets all there is.
    if (directory === undefined || isPrebuilt(artifact) || !isPlain(artifact) || artifact.manifest_path !== null)
      continue;
    const key = [directory, ...artifact.extra_sources].join("\0");
    wanted.set(key, [...(wanted.get(key) ?? []), artifact]);
  }
  return new Map(
    [...wanted].map(([key, of]) => {
      const [directory = "", ...extra] = key.split("\0");
      const packages = of.map((artifact) => artifact.package);
      return [key, pkgs.crateSources({ name: "crates", source: directory, packages, extra })];
    }),
  );
}

/** The built file of a Rust artifact. */
export function rustProduct(
  config: Config,
  pkgs: Packages,
  artifact: RustArtifact,
  directory: string,
  sources: CrateSources,
): string {
  if (!isPlain(artifact)) return commandRustProduct(config, pkgs, artifact, directory);
  const { id, package: package_, bin, kind, cargo_profile, manifest_path, extra_sources } = artifact;
  const profile = profileOf(config, artifact);
  const { RUSTFLAGS = "", ...env } = { ...profile?.env, ...cargoVariables(artifact), ...artifact.env };
  const program = bin ?? package_;
  const built = pkgs.rustArtifact({
    name: id,
    source: sources.get([directory, ...extra_sources].join("\0"))?.get(package_) ?? directory,
    package: package_,
    ...(kind === "bin" ? { binaries: [program] } : { libraries: [package_] }),
    ...(profile === undefined || profile.target === null ? {} : { target: profile.target }),
    profile: cargo_profile,
    cargoFlags: [
      ...(bin === null ? [] : ["--bin", bin]),
      ...(manifest_path === null ? [] : ["--manifest-path", manifest_path]),
    ],
    rustFlags: RUSTFLAGS.split(/\s+/).filter((flag) => flag !== ""),
    env: { ...env, ...commonVariables(config, pkgs, "rust", artifact, directory) },
  });
  return kind === "bin" ? `${built}/bin/${program}` : `${built}/lib/${libraryName(package_)}`;
}

/** What a command of the artifact's own, or `cargo build` with another output, makes. */
function commandRustProduct(config: Config, pkgs: Packages, artifact: RustArtifact, directory: string): string {
  const { package: package_, bin, kind, cargo_profile, manifest_path, output_path, build_command } = artifact;
  const target = profileOf(config, artifact)?.target ?? rustTarget;
  // The profile called dev goes to a folder called debug.
  const folder = `target/${target}/${cargo_profile === "dev" ? "debug" : cargo_profile}`;
  const cargo = [
    "cargo",
    "build",
    "--offline",
    "--locked",
    "--package",
    package_,
    "--profile",
    cargo_profile,
    ...(bin === null ? [] : ["--bin", bin]),
    ...(manifest_path === null ? [] : ["--manifest-path", manifest_path]),
  ];
  return commandProduct(config, pkgs, "rust", artifact, directory, {
    command: shellCommand(build_command.length > 0 ? build_command : cargo),
    result: output_path ?? `${folder}/${kind === "cdylib" ? libraryName(package_) : (bin ?? package_)}`,
    kind: kind === "dir" ? "dir" : "file",
    env: {
      ...cargoVariables(artifact),
      CARGO_BUILD_TARGET: target,
      CARGO_TARGET_DIR: "target",
      [`CARGO_TARGET_${target.toUpperCase().replaceAll("-", "_")}_LINKER`]: "aarch64-linux-gnu-gcc",
    },
  });
}

function libraryName(packageName: string): string {
  return `lib${packageName.replaceAll("-", "_")}.so`;
}

/** Cargo's own variables for settings of a profile. */
function cargoVariables({ cargo_profile, cargo }: RustArtifact): Record<string, string> {
  const prefix = `CARGO_PROFILE_${cargo_profile.toUpperCase().replaceAll("-", "_")}`;
  return Object.fromEntries(
    (["lto", "codegen_units", "opt_level", "strip"] as const).flatMap((key) => {
      const value = cargo.profile[key];
      return value === null ? [] : [[`${prefix}_${key.toUpperCase()}`, String(value)]];
    }),
  );
}
