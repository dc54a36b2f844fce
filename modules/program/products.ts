/** Artifacts as derivations. */
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { localSource } from "#pkgs/tree.ts";
import { workspacePath } from "../workspace.ts";
import { type Artifact, directoryOf, type Group, isPrebuilt, selectedArtifacts } from "./artifacts.ts";
import { customProduct } from "./custom.ts";
import { javaProduct } from "./java.ts";
import { inOrder } from "./order.ts";
import { rustProduct, rustSources } from "./rust.ts";

/**
 * The product of each selected artifact: a string that mentions its derivation
 * or source. One whose sources are not known is left out; assertions tell of it.
 */
export function products(config: Config, pkgs: Packages): Record<string, string> {
  const { rust, java, custom } = selectedArtifacts(config);
  const made: Record<string, string> = {};
  const add = <A extends Artifact>(
    group: Group,
    artifact: A,
    build: (artifact: A, directory: string) => string,
  ): void => {
    if (isPrebuilt(artifact)) {
      const path = workspacePath(config.workspace, artifact.prebuilt_path ?? "");
      if (path !== undefined) made[artifact.id] = `${localSource(path)}`;
      return;
    }
    const directory = directoryOf(config, group, artifact);
    if (directory !== undefined) made[artifact.id] = build(artifact, directory);
  };
  const sources = rustSources(config, pkgs, rust);
  for (const each of rust) {
    add("rust", each, (artifact, directory) => rustProduct(config, pkgs, artifact, directory, sources));
  }
  for (const each of java) add("java", each, (artifact, directory) => javaProduct(config, pkgs, artifact, directory));
  for (const each of inOrder(custom).artifacts) {
    add("custom", each, (artifact, directory) => customProduct(config, pkgs, artifact, directory, made));
  }
  return made;
}
