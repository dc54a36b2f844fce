/** Java artifacts as derivations. */
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { environmentNamed, environmentOf, type JavaArtifact, shellCommand } from "./artifacts.ts";
import { commandVariables } from "./variables.ts";

/** The archive of a Java artifact, or whatever file its command makes. */
export function javaProduct(config: Config, pkgs: Packages, artifact: JavaArtifact, directory: string): string {
  const { id, build_command, output_path, source_dirs, resource_dirs, class_path, main_class, release } = artifact;
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
    env: commandVariables(config, pkgs, "java", artifact, directory),
  });
  return `${built}`;
}
