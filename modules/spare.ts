/** What is declared and then used by nothing: mostly a name that was misspelt where it was meant to be used. */
import { type Config, defineModule } from "#lib/evaluator/index.ts";
import { declaredArtifacts } from "./program/artifacts.ts";

/** Warnings about what has no effect. */
export default defineModule({
  name: "spare",
  config: {
    warnings: (config) => [
      ...spare("stage.env.sets", Object.keys(config.stage.env.sets), usedSets(config)),
      ...spare("program.profiles", Object.keys(config.program.profiles), [
        ...declaredArtifacts(config).map(({ profile }) => profile),
        config.program.default_profile,
      ]),
      ...spare("program.environments", Object.keys(config.program.environments), usedEnvironments(config)),
      ...spare(
        "program",
        declaredArtifacts(config).map(({ id }) => id),
        [
          ...config.program.install.items.map(({ artifact }) => artifact),
          ...config.program.custom.artifacts.flatMap(({ after_artifacts }) =>
            after_artifacts.map((reference) => reference.replace(/[?]$/, "")),
          ),
        ],
        "the artifact",
      ),
      ...spareKernelInputs(config),
    ],
  },
});

function spare(
  where: string,
  declared: readonly string[],
  used: readonly (string | null | undefined)[],
  kind = "",
): string[] {
  const names = new Set(used);
  return declared
    .filter((name) => !names.has(name))
    .map((name) => `${where}: ${kind === "" ? "" : `${kind} `}'${name}' is used by nothing. Leave it out, or use it.`);
}

function usedSets({ stage, services }: Config): (string | null)[] {
  return [
    ...stage.env.files.flatMap(({ sets }) => sets),
    ...Object.values(services.units).map(({ envSet }) => envSet),
    ...Object.values(stage.services.units).map(({ env_set }) => env_set),
  ];
}

function usedEnvironments({ program }: Config): (string | null)[] {
  return [
    ...Object.values(program.profiles).map(({ container_image }) => container_image),
    ...program.checks.map(({ environment }) => environment),
    ...[...program.java.artifacts, ...program.custom.artifacts].map(({ environment }) => environment),
  ];
}

/** Fragments and patches are for a kernel that is built, and Debian's is not. */
function spareKernelInputs({ buildroot }: Config): string[] {
  if (!buildroot.starting_point.enabled) return [];
  return (["fragments", "patches"] as const)
    .filter((name) => buildroot.linux[name].length > 0)
    .map(
      (name) =>
        `buildroot.linux.${name}: ${buildroot.linux[name].join(", ")} has no effect while the kernel is a package (buildroot.starting_point).`,
    );
}
