import { type Config, defineModule } from "#lib/evaluator/index.ts";
import { javaRuntimePackages } from "#pkgs/java/runtime.ts";
import { conditionProblems } from "./inputs/resolve.ts";
import { tolerable } from "./legacy.ts";
import { declaredArtifacts, groups, selectedArtifacts } from "./program/artifacts.ts";
import { programOptions } from "./program/options.ts";
import { installedItems, programProblems } from "./program/problems.ts";
import { products } from "./program/products.ts";

/** A condition on what does not exist never holds. */
const conditions = tolerable((config) => [
  ...declaredArtifacts(config).flatMap((artifact) =>
    conditionProblems(artifact, config.inputs.options).map(
      (problem) => `program: the artifact '${artifact.id}': ${problem}`,
    ),
  ),
  ...config.program.install.items.flatMap((item) =>
    conditionProblems(item, config.inputs.options).map(
      (problem) => `program.install.items: '${item.dest}': ${problem}`,
    ),
  ),
]);

/** Programs that are built from source, and where they are installed. */
export default defineModule({
  name: "program",
  options: programOptions,
  config: {
    program: { products: (config, { pkgs }) => products(config, pkgs) },
    buildroot: {
      starting_point: { packages: { install: (config) => (needsJava(config) ? javaRuntimePackages : []) } },
    },
    stage: {
      files: (config) => {
        const { rust, custom } = config.program;
        const directories = new Set(
          [...rust.artifacts, ...custom.artifacts].filter(({ kind }) => kind === "dir").map(({ id }) => id),
        );
        return installedItems(config).map(({ artifact, dest, mode, owner, group, replace }) => ({
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
      ...programProblems(config).map((message) => ({ assertion: false, message })),
    ],
    warnings: (config) => [...conditions.warnings(config), ...idleChecks(config)],
  },
});

/** Whether a Java archive is in the image, which is to run it. */
function needsJava(config: Config): boolean {
  const archives = new Set(selectedArtifacts(config).java.map(({ id }) => id));
  return config.program.java.runtime && installedItems(config).some(({ artifact }) => archives.has(artifact));
}

function idleChecks({ program }: Config): string[] {
  const { checks, check_policy, lint } = program;
  if (check_policy !== "required" && checks.length === 0)
    return ["program.check_policy: there are no checks that it could apply to. Declare program.checks."];
  const used = new Set([
    ...(lint.enabled ? lint.check_ids : []),
    ...groups.flatMap((group) => [
      ...program[group].check_ids,
      ...program[group].artifacts.flatMap(({ check_ids }) => check_ids),
    ]),
  ]);
  return checks
    .filter(({ id }) => !used.has(id))
    .map(
      ({ id }) =>
        `program.checks: '${id}' never runs. Name it in check_ids of an artifact, of program.rust, .java or .custom, or of program.lint.`,
    );
}
