/** What cannot be built or installed, as messages. */
import type { Config } from "#lib/evaluator/index.ts";
import { isSelected } from "../inputs/resolve.ts";
import { repeated } from "../repeated.ts";
import { workspacePath, workspaceProblem } from "../workspace.ts";
import { rustTarget } from "#pkgs/rust/artifact.ts";
import {
  type Artifact,
  builtInEnvironments,
  declaredArtifacts,
  directoryOf,
  type Group,
  groups,
  isEnvironment,
  isPrebuilt,
  profileOf,
  selectedArtifacts,
  writtenDirectory,
} from "./artifacts.ts";
import { inOrder } from "./order.ts";

/** Every mistake in `program`. */
export function programProblems(config: Config): string[] {
  return [
    ...removedKeys(config),
    ...artifactProblems(config),
    ...groups.flatMap((group) => idleDirectoryProblems(config, group)),
    ...sourceProblems(config),
    ...sameOutputs(config),
    ...targetProblems(config),
    ...orderProblems(config),
    ...checkProblems(config),
    ...installProblems(config),
  ];
}

/** Items that are switched on. */
export function installedItems({ program: { enabled, install }, inputs }: Config) {
  return enabled && install.enabled ? install.items.filter((item) => isSelected(item, inputs.resolved)) : [];
}

/** Reads the removed keys: their types refuse every value, but only once something reads them. */
function removedKeys({ program: { profiles, rust } }: Config): string[] {
  return [
    ...Object.values(profiles).flatMap(({ linker, sysroot }) => [linker, sysroot]),
    ...rust.artifacts.flatMap(({ target_dir, source }) => [
      target_dir,
      ...(source === null ? [] : [source.ref, source.branch, source.update, source.shallow]),
    ]),
  ].flatMap((value) => (value === null ? [] : ["program: a removed key is set."]));
}

function artifactProblems(config: Config): string[] {
  const { profiles, default_profile, checks } = config.program;
  const all = declaredArtifacts(config);
  const checkIds = new Set(checks.map(({ id }) => id));
  const names = Object.keys(profiles).join(", ") || "none";
  return [
    ...repeated(all.map(({ id }) => id)).map((id) => `program: the id '${id}' is used by more than one artifact.`),
    ...(default_profile === null || Object.hasOwn(profiles, default_profile)
      ? []
      : [`program.default_profile: there is no profile '${default_profile}'. There are: ${names}.`]),
    ...Object.entries(profiles).flatMap(([name, { container_image }]) =>
      environmentProblem(config, `program.profiles.${name}.container_image`, container_image),
    ),
    ...all.flatMap((artifact) => [
      ...(artifact.profile === null || Object.hasOwn(profiles, artifact.profile)
        ? []
        : [
            `program: the artifact '${artifact.id}' has the profile '${artifact.profile}', which program.profiles does not have. It has: ${names}.`,
          ]),
      ...artifact.check_ids
        .filter((id) => !checkIds.has(id))
        .map(
          (id) => `program: the artifact '${artifact.id}' names the check '${id}', which program.checks does not have.`,
        ),
      ...("environment" in artifact
        ? environmentProblem(config, `program: the artifact '${artifact.id}'`, artifact.environment)
        : []),
      ...(isPrebuilt(artifact) ? prebuiltProblems(config, artifact) : []),
    ]),
  ];
}

function environmentProblem(config: Config, where: string, name: string | null): string[] {
  if (name === null || isEnvironment(config, name)) return [];
  const known = [...builtInEnvironments, ...Object.keys(config.program.environments)];
  return [
    `${where}: there is no environment '${name}'. There are: ${known.join(", ")}; program.environments declares more.`,
  ];
}

function prebuiltProblems(config: Config, { id, prebuilt_path }: Artifact): string[] {
  if (prebuilt_path === null) return [`program: the artifact '${id}' has mode prebuilt, so it needs prebuilt_path.`];
  return workspacePath(config.workspace, prebuilt_path) === undefined
    ? [`program: the artifact '${id}': ${workspaceProblem(config.workspace, prebuilt_path)}`]
    : [];
}

/** A common directory that no artifact starts from is looked at nevertheless: the mistake is there already. */
function idleDirectoryProblems({ program, workspace }: Config, group: Group): string[] {
  const { workspace_dir, artifacts } = program[group];
  return workspace_dir === null || artifacts.length > 0 || workspacePath(workspace, workspace_dir) !== undefined
    ? []
    : [`program.${group}.workspace_dir: ${workspaceProblem(workspace, workspace_dir)}`];
}

/** What a build starts from, and what it is to make. */
function sourceProblems(config: Config): string[] {
  return groups.flatMap((group) =>
    config.program[group].artifacts
      .filter((artifact) => !isPrebuilt(artifact))
      .flatMap((artifact) => {
        const where = `program.${group}.artifacts: '${artifact.id}'`;
        const directory = writtenDirectory(config, group, artifact);
        return [
          ...(directoryOf(config, group, artifact) !== undefined
            ? []
            : directory === null
              ? [`${where} needs a ${group === "rust" ? "workspace_dir" : "cwd"}.`]
              : [`${where}: ${workspaceProblem(config.workspace, directory)}`]),
          ...outputProblems(group, where, artifact),
          ...("npm_lock" in artifact &&
          artifact.npm_lock !== null &&
          workspacePath(config.workspace, artifact.npm_lock) === undefined
            ? [`${where}: ${workspaceProblem(config.workspace, artifact.npm_lock)}`]
            : []),
        ];
      }),
  );
}

function outputProblems(group: string, where: string, artifact: Artifact): string[] {
  const { build_command, output_path } = artifact;
  if (group === "custom") {
    return build_command.length === 0 || output_path === null ? [`${where} needs build_command and output_path.`] : [];
  }
  if (group === "java") {
    return build_command.length > 0 === (output_path !== null)
      ? []
      : [`${where} needs both build_command and output_path, or neither of them.`];
  }
  return "package" in artifact && (artifact.kind === "file" || artifact.kind === "dir") && output_path === null
    ? [`${where} is of the kind ${artifact.kind}, so it needs output_path.`]
    : [];
}

function sameOutputs(config: Config): string[] {
  return repeated(
    config.program.rust.artifacts
      .filter((artifact) => !isPrebuilt(artifact))
      .map((artifact) =>
        [
          directoryOf(config, "rust", artifact),
          artifact.profile,
          artifact.package,
          artifact.kind,
          artifact.output_path ?? artifact.bin ?? artifact.package,
        ].join("\0"),
      ),
  ).map((key) => {
    const [, , package_, , program] = key.split("\0");
    return `program.rust.artifacts: more than one artifact is the same output '${program ?? ""}' of the package '${package_ ?? ""}'. Name the program of each in bin.`;
  });
}

/** Cargo would find out after all crates that need no standard library. */
function targetProblems(config: Config): string[] {
  return config.program.rust.artifacts.flatMap((artifact) => {
    const target = profileOf(config, artifact)?.target ?? rustTarget;
    if (target === rustTarget || isPrebuilt(artifact)) return [];
    return [
      `program.rust.artifacts: '${artifact.id}' is for the target '${target}' of the profile '${artifact.profile ?? config.program.default_profile ?? ""}', but images are for arm64, and the toolchain has the standard library of ${rustTarget} only. Name that as target, leave it out, or build elsewhere and give prebuilt_path.`,
    ];
  });
}

function orderProblems(config: Config): string[] {
  const { rust, java, custom } = selectedArtifacts(config);
  const declared = new Set(declaredArtifacts(config).map(({ id }) => id));
  const selected = new Set([...rust, ...java, ...custom].map(({ id }) => id));
  return [
    ...inOrder(custom).problems.map((problem) => `program.custom.artifacts: ${problem}`),
    ...custom.flatMap(({ id, after_artifacts }) =>
      after_artifacts.flatMap((reference) => {
        const other = reference.replace(/[?]$/, "");
        if (selected.has(other) || (reference.endsWith("?") && declared.has(other))) return [];
        if (reference.endsWith("?"))
          return [`program.custom.artifacts: '${id}' comes after '${other}', which is no artifact, selected or not.`];
        return [
          `program.custom.artifacts: '${id}' comes after '${other}', which is ${declared.has(other) ? "switched off. Write '" + other + "?' if it may be" : "no artifact"}.`,
        ];
      }),
    ),
  ];
}

function checkProblems(config: Config): string[] {
  const { checks, lint } = config.program;
  const { cwd: lintDirectory } = lint;
  const ids = new Set(checks.map(({ id }) => id));
  return [
    ...(lintDirectory === null || workspacePath(config.workspace, lintDirectory) !== undefined
      ? []
      : [`program.lint.cwd: ${workspaceProblem(config.workspace, lintDirectory)}`]),
    ...repeated(checks.map(({ id }) => id)).map((id) => `program.checks: the id '${id}' is used more than once.`),
    ...[["lint", lint] as const, ...groups.map((group) => [group, config.program[group]] as const)].flatMap(
      ([name, { check_ids }]) =>
        check_ids
          .filter((id) => !ids.has(id))
          .map(
            (id) =>
              `program.${name}.check_ids: there is no check '${id}'. There are: ${[...ids].join(", ") || "none"}.`,
          ),
    ),
    ...checks.flatMap(({ id, environment, cwd }) => [
      ...environmentProblem(config, `program.checks: '${id}'`, environment),
      ...(cwd === null || workspacePath(config.workspace, cwd) !== undefined
        ? []
        : [`program.checks: '${id}': ${workspaceProblem(config.workspace, cwd)}`]),
    ]),
  ];
}

function installProblems(config: Config): string[] {
  const declared = declaredArtifacts(config).map(({ id }) => id);
  const selected = new Set(
    Object.values(selectedArtifacts(config)).flatMap((artifacts: readonly Artifact[]) => artifacts.map(({ id }) => id)),
  );
  const active = new Set(installedItems(config));
  return config.program.install.items.flatMap((item) =>
    declared.includes(item.artifact)
      ? active.has(item) && !selected.has(item.artifact)
        ? [
            `program.install.items: '${item.dest}' is to hold the artifact '${item.artifact}', which is switched off. Give the item the same conditions.`,
          ]
        : []
      : [
          `program.install.items: '${item.dest}' is to hold the artifact '${item.artifact}', which nothing builds. There are: ${declared.join(", ") || "none"}.`,
        ],
  );
}
