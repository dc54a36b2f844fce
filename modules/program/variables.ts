import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { inputVariables } from "../inputs/resolve.ts";
import { type Artifact, type Group, profileOf } from "./artifacts.ts";
import { checksOf } from "./checks.ts";

/** Inputs as variables, which win over an artifact's own; and the one by which a build waits for its checks, if any. */
export function commonVariables(
  config: Config,
  pkgs: Packages,
  group: Group,
  artifact: Artifact,
  directory: string,
): Record<string, string> {
  const checks = checksOf(config, pkgs, group, artifact, directory);
  return { ...inputVariables(config.inputs.resolved), ...(checks.length === 0 ? {} : { checks: checks.join(" ") }) };
}

/** The variables of an artifact's command: of its profile, its own, and the common ones. */
export function commandVariables(
  config: Config,
  pkgs: Packages,
  group: Group,
  artifact: Artifact,
  directory: string,
): Record<string, string> {
  const profile = profileOf(config, artifact);
  return {
    ...profile?.env,
    ...(profile === undefined || profile.target === null ? {} : { BUILD_TARGET: profile.target }),
    ...artifact.env,
    ...commonVariables(config, pkgs, group, artifact, directory),
  };
}
