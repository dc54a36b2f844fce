import type { Derivation } from "#lib/derivations/derivation.ts";
import { tokenTargets } from "#lib/derivations/token.ts";
import { type Config, defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import type { SystemTask } from "#lib/flake/system-task.ts";
import { debianPackage } from "#pkgs/debian/package-file.ts";
import type { Packages } from "#pkgs/index.ts";
import { selectedArtifacts } from "./program/artifacts.ts";

const label = (name: string) => ({
  label: mkOption({
    type: types.singleLineStr,
    default: name,
    example: "Compile Buildroot",
    description: "What `plan` calls the step.",
  }),
});

const options = {
  buildroot: {
    steps: {
      fetch: label("Fetch the packages of the base"),
      configure: label("Put the base together"),
      build: label("Merge and verify the root file system"),
      collect: label("Make the image and its records"),
    },
    rpi: {
      steps: { validate: label("Validate the board"), prepare: label("Prepare kernel and initial RAM disk") },
    },
  },
  stage: { steps: { render: label("Render files, units and environments") } },
  system: {
    tasks: mkOption({
      // Made here only, so its type is taken on trust.
      type: types.opaque("tasks", (value): value is readonly SystemTask[] => Array.isArray(value)),
      readOnly: true,
      internal: true,
      description: "The steps of making the system, as `plan` lists them.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    tasks: typeof options;
  }
}

/** The steps of making a system, by the names that Gaia gave them. */
export default defineModule({
  name: "tasks",
  options,
  config: { system: { tasks: (config, { pkgs }) => tasks(config, pkgs) } },
});

function tasks(config: Config, pkgs: Packages): readonly SystemTask[] {
  const { base, linux, initrd, install, stage, rootfs, image, result } = config.system.build;
  const { steps, rpi } = config.buildroot;
  const board = rpi.steps;
  const groups = Object.entries(selectedArtifacts(config)).filter(([, artifacts]) => artifacts.length > 0);
  const built = (artifacts: readonly { readonly id: string }[]): readonly Derivation[] =>
    artifacts.flatMap(({ id }) => derivationsIn(config.program.products[id] ?? ""));
  const checks = groups.flatMap(([, artifacts]) =>
    built(artifacts).flatMap((artifact) => derivationsIn(artifact.env.get("checks") ?? "")),
  );
  const task = (
    id: string,
    module: string,
    phase: string,
    label: string,
    derivations: readonly Derivation[],
  ): SystemTask => ({ id, module, phase, label, derivations });
  return [
    task("core.init", "core", "init", "Unpack the tools", [pkgs.environments.imageTools]),
    ...(checks.length > 0 ? [task("program.lint.run", "program.lint", "lint", "Run the checks", checks)] : []),
    ...groups.map(([group, artifacts]) =>
      task(`program.${group}.artifacts`, `program.${group}`, "build", `Build the ${group} artifacts`, built(artifacts)),
    ),
    task("program.install.stage", "program.install", "stage", "Place the programs", [install.file]),
    task("stage.render", "stage", "render", config.stage.steps.render.label, [stage.file]),
    // Evaluation has refused what does not fit the board before there is any plan.
    task("buildroot.rpi.validate", "buildroot.rpi", "preflight", board.validate.label, []),
    task("buildroot.rpi.prepare", "buildroot.rpi", "prepare", board.prepare.label, [linux.kernel, initrd]),
    task("buildroot.fetch", "buildroot", "fetch", steps.fetch.label, [...new Set(rootfs.packages.map(debianPackage))]),
    task("buildroot.configure", "buildroot", "configure", steps.configure.label, [base.archive]),
    // An image needs the verification, so no order of tasks can leave it out.
    task("buildroot.build", "buildroot", "build", steps.build.label, [
      rootfs.archive,
      rootfs.sharedLibraryCheck,
      rootfs.unitCheck,
    ]),
    // The derivations themselves wait for what they need.
    task("core.barrier.stage", "core", "barrier", "Wait for all that is staged", []),
    task("buildroot.collect", "buildroot", "collect", steps.collect.label, [image, result]),
  ];
}

/** The derivations whose outputs a text mentions. */
function derivationsIn(text: string): readonly Derivation[] {
  return tokenTargets(text).flatMap((target) => (target._tag === "DerivationOutput" ? [target.derivation] : []));
}
