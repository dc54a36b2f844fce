import { type Config, defineModule } from "#lib/evaluator/index.ts";
import { conditionProblems, isSelected } from "./inputs/resolve.ts";
import { tolerable } from "./legacy.ts";
import { programOptions } from "./program/options.ts";
import {
  builtInEnvironments,
  customDirectory,
  inOrder,
  isPrebuilt,
  products,
  rustDirectory,
  selectedArtifacts,
} from "./program/products.ts";
import { repeated } from "./repeated.ts";
import { workspacePath, workspaceProblem } from "./workspace.ts";

/** A condition on what does not exist never holds. */
const conditions = tolerable(({ inputs, program: { rust, custom, install } }) => [
  ...[...rust.artifacts, ...custom.artifacts].flatMap((artifact) =>
    conditionProblems(artifact, inputs.options).map((problem) => `program: the artifact '${artifact.id}': ${problem}`),
  ),
  ...install.items.flatMap((item) =>
    conditionProblems(item, inputs.options).map((problem) => `program.install.items: '${item.dest}': ${problem}`),
  ),
]);

/** Programs that are built from source, and where they are installed. */
export default defineModule({
  name: "program",
  options: programOptions,
  config: {
    program: { products: (config, { pkgs }) => products(config, pkgs) },
    stage: {
      files: (config) => {
        const directories = new Set(
          config.program.custom.artifacts.filter(({ kind }) => kind === "dir").map(({ id }) => id),
        );
        return installed(config).map(({ artifact, dest, mode, owner, group, replace }) => ({
          dst: dest,
          mode,
          owner,
          group,
          replace,
          recursive: directories.has(artifact),
          src: config.program.products[artifact] ?? null,
        }));
      },
    },
    assertions: (config) => [
      ...conditions.assertions(config),
      ...[
        ...removedKeys(config),
        ...artifactProblems(config),
        ...orderProblems(config),
        ...checkProblems(config),
        ...installProblems(config),
      ].map((message) => ({
        assertion: false,
        message,
      })),
    ],
    warnings: (config) => {
      const { checks, lint, rust, custom } = config.program;
      const used = new Set([
        ...(lint.enabled ? lint.check_ids : []),
        ...[rust, custom].flatMap((group) => [
          ...group.check_ids,
          ...group.artifacts.flatMap(({ check_ids }) => check_ids),
        ]),
      ]);
      const unused = checks
        .filter(({ id }) => !used.has(id))
        .map(
          ({ id }) =>
            `program.checks: '${id}' never runs. Name it in check_ids of an artifact, of program.rust or program.custom, or of program.lint.`,
        );
      return [...conditions.warnings(config), ...unused];
    },
  },
});

/** Items that are switched on. */
function installed(config: Config) {
  const { enabled, install } = config.program;
  return enabled && install.enabled ? install.items.filter((item) => isSelected(item, config.inputs.resolved)) : [];
}

/** Reads the removed keys: their types refuse every value, but only once something reads them. */
function removedKeys({ program: { java, profiles, rust } }: Config): string[] {
  return [
    java,
    ...Object.values(profiles).flatMap(({ linker, sysroot }) => [linker, sysroot]),
    ...rust.artifacts.flatMap(({ target_dir, output_path, build_command, cwd, source }) => [
      target_dir,
      output_path,
      build_command,
      cwd,
      source,
    ]),
  ].flatMap((value) => (value === null ? [] : ["program: a removed key is set."]));
}

function artifactProblems(config: Config): string[] {
  const { rust, custom, profiles, default_profile, environments, checks } = config.program;
  const all = [...rust.artifacts, ...custom.artifacts];
  const known = [...builtInEnvironments, ...Object.keys(environments)];
  const checkIds = new Set(checks.map(({ id }) => id));
  const environmentProblem = (where: string, name: string | null) =>
    name === null || known.includes(name)
      ? []
      : [
          `${where}: there is no environment '${name}'. There are: ${known.join(", ")}; program.environments declares more.`,
        ];
  return [
    ...repeated(all.map(({ id }) => id)).map((id) => `program: the id '${id}' is used by more than one artifact.`),
    ...(default_profile === null || Object.hasOwn(profiles, default_profile)
      ? []
      : [
          `program.default_profile: there is no profile '${default_profile}'. There are: ${Object.keys(profiles).join(", ") || "none"}.`,
        ]),
    ...Object.entries(profiles).flatMap(([name, profile]) =>
      environmentProblem(`program.profiles.${name}.container_image`, profile.container_image),
    ),
    ...custom.artifacts.flatMap(({ id, environment }) =>
      environmentProblem(`program.custom.artifacts: '${id}'`, environment),
    ),
    ...all.flatMap((artifact) => [
      ...(artifact.profile === null || Object.hasOwn(profiles, artifact.profile)
        ? []
        : [
            `program: the artifact '${artifact.id}' has the profile '${artifact.profile}', which program.profiles does not have. It has: ${Object.keys(profiles).join(", ") || "none"}.`,
          ]),
      ...artifact.check_ids
        .filter((id) => !checkIds.has(id))
        .map(
          (id) => `program: the artifact '${artifact.id}' names the check '${id}', which program.checks does not have.`,
        ),
      ...(isPrebuilt(artifact) ? prebuiltProblems(config, artifact) : []),
    ]),
    ...rust.artifacts
      .filter((artifact) => !isPrebuilt(artifact))
      .flatMap((artifact) => {
        const directory = artifact.workspace_dir ?? rust.workspace_dir;
        if (directory === null) return [`program.rust.artifacts: '${artifact.id}' needs a workspace_dir.`];
        return rustDirectory(config, artifact) === undefined
          ? [`program.rust.artifacts: '${artifact.id}': ${workspaceProblem(config.workspace, directory)}`]
          : [];
      }),
    ...custom.artifacts
      .filter((artifact) => !isPrebuilt(artifact))
      .flatMap((artifact) => {
        const directory = artifact.cwd ?? custom.workspace_dir;
        return [
          ...(artifact.build_command.length === 0 || artifact.output_path === null
            ? [`program.custom.artifacts: '${artifact.id}' needs build_command and output_path.`]
            : []),
          ...(directory === null ? [`program.custom.artifacts: '${artifact.id}' needs a cwd.`] : []),
          ...(directory !== null && customDirectory(config, artifact) === undefined
            ? [`program.custom.artifacts: '${artifact.id}': ${workspaceProblem(config.workspace, directory)}`]
            : []),
        ];
      }),
    ...repeated(
      rust.artifacts
        .filter((artifact) => !isPrebuilt(artifact))
        .map((artifact) =>
          [
            rustDirectory(config, artifact),
            artifact.profile,
            artifact.package,
            artifact.kind,
            artifact.bin ?? artifact.package,
          ].join("\0"),
        ),
    ).map((key) => {
      const [, , package_, , program] = key.split("\0");
      return `program.rust.artifacts: more than one artifact is the same output '${program ?? ""}' of the package '${package_ ?? ""}'. Name the program of each in bin.`;
    }),
  ];
}

function prebuiltProblems(
  config: Config,
  artifact: { readonly id: string; readonly prebuilt_path: string | null },
): string[] {
  const { id, prebuilt_path } = artifact;
  if (prebuilt_path === null) return [`program: the artifact '${id}' has mode prebuilt, so it needs prebuilt_path.`];
  return workspacePath(config.workspace, prebuilt_path) === undefined
    ? [`program: the artifact '${id}': ${workspaceProblem(config.workspace, prebuilt_path)}`]
    : [];
}

function orderProblems(config: Config): string[] {
  const { custom } = selectedArtifacts(config);
  const declared = new Set([...config.program.rust.artifacts, ...config.program.custom.artifacts].map(({ id }) => id));
  const selected = new Set([...selectedArtifacts(config).rust, ...custom].map(({ id }) => id));
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
  const { checks, lint, rust, custom, environments } = config.program;
  const ids = new Set(checks.map(({ id }) => id));
  const known = new Set<string>([...builtInEnvironments, ...Object.keys(environments)]);
  return [
    ...repeated(checks.map(({ id }) => id)).map((id) => `program.checks: the id '${id}' is used more than once.`),
    ...(
      [
        ["lint", lint],
        ["rust", rust],
        ["custom", custom],
      ] as const
    ).flatMap(([name, { check_ids }]) =>
      check_ids
        .filter((id) => !ids.has(id))
        .map(
          (id) => `program.${name}.check_ids: there is no check '${id}'. There are: ${[...ids].join(", ") || "none"}.`,
        ),
    ),
    ...checks.flatMap(({ id, environment, cwd }) => [
      ...(environment === null || known.has(environment)
        ? []
        : [
            `program.checks: '${id}' runs in the environment '${environment}', which program.environments does not have.`,
          ]),
      ...(cwd === null || workspacePath(config.workspace, cwd) !== undefined
        ? []
        : [`program.checks: '${id}': ${workspaceProblem(config.workspace, cwd)}`]),
    ]),
  ];
}

function installProblems(config: Config): string[] {
  const declared = [...config.program.rust.artifacts, ...config.program.custom.artifacts].map(({ id }) => id);
  const selected = new Set(
    Object.values(selectedArtifacts(config)).flatMap((artifacts) => artifacts.map(({ id }) => id)),
  );
  const active = new Set(installed(config));
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
