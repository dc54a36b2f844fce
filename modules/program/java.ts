/** Java artifacts as derivations. */
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { inputVariables } from "../inputs/resolve.ts";
import { environmentNamed, environmentOf, type JavaArtifact, profileOf, shellCommand } from "./artifacts.ts";
import { checksOf, checkVariables } from "./checks.ts";

/** The archive of a Java artifact, or whatever file its command makes. */
export function javaProduct(config: Config, pkgs: Packages, artifact: JavaArtifact, directory: string): string {
  const { id, build_command, output_path, source_dirs, resource_dirs, class_path, main_class, release } = artifact;
  const profile = profileOf(config, artifact);
  const built = pkgs.javaArtifact({
    name: `${id}.jar`,
    environment: environmentNamed(config, pkgs, environmentOf(config, "java", artifact)),
    source: directory,
    release,
    sourceDirectories: source_dirs,
    resourceDirectories: resource_dirs,
    classPath: class_path,
    mainClass: main_class,
    ...(build_command.length === 0
      ? {}
      : { command: { text: shellCommand(build_command), result: output_path ?? "" } }),
    env: {
      ...profile?.env,
      ...(profile === undefined || profile.target === null ? {} : { BUILD_TARGET: profile.target }),
      ...artifact.env,
      ...inputVariables(config.inputs.resolved),
      ...checkVariables(checksOf(config, pkgs, "java", artifact, directory)),
    },
  });
  return `${built}`;
}
