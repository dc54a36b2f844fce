/** Checks as derivations: what depends on one is built after it, and only again if its verdict changes. */
import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { sourceCopy } from "#pkgs/source-copy.ts";
import { storeTree } from "#pkgs/tree.ts";
import { inputVariables } from "../inputs/resolve.ts";
import { workspacePath } from "../workspace.ts";
import { type Artifact, environmentNamed, environmentOf, type Group, shellCommand } from "./artifacts.ts";

const script = source({ path: join(import.meta.dirname, "check.sh") });

/** The checks that run before an artifact is built, and those of `program.lint`. */
export function checksOf(
  config: Config,
  pkgs: Packages,
  group: Group,
  artifact: Artifact,
  directory: string,
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
    .map(({ check, directory }) =>
      checkDerivation(config, pkgs, check, directory, check.environment ?? environmentOf(config, group, artifact)),
    );
}

function checkDerivation(
  config: Config,
  pkgs: Packages,
  check: Config["program"]["checks"][number],
  directory: string,
  environment: string,
): Derivation {
  const chosen = check.cwd === null ? directory : (workspacePath(config.workspace, check.cwd) ?? directory);
  return pkgs.mkDerivation({
    name: `check-${check.id}`,
    environment: environmentNamed(config, pkgs, environment),
    script,
    env: {
      ...check.env,
      ...inputVariables(config.inputs.resolved),
      source: storeTree(chosen),
      sourceCopy,
      command: shellCommand(check.run),
      check: check.id,
      policy: config.program.check_policy,
    },
  });
}
