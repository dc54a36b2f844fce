import { join } from "node:path";
import type { Derivation, DerivationOutput } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { storeTree, type Tree } from "../tree.ts";

/** A Cargo workspace, and what is to be built of it. */
export interface CrateSourcesOptions {
  readonly name: string;
  /** Where the workspace is. */
  readonly source: Tree;
  /** Packages that get a tree of their own. */
  readonly packages: readonly string[];
  /** Files and directories of the workspace that all of them need besides their crates. */
  readonly extra?: readonly string[];
}

const script = source({ path: join(import.meta.dirname, "crate-sources.sh") });

/**
 * The sources of single packages of a workspace, by package: each package's own crate, those that it depends on by
 * path, and the lock. They are outputs addressed by their content, so a change in one crate only rebuilds
 * what contains it, although all packages come from one directory.
 */
export function crateSources(
  toolchain: Derivation,
  options: CrateSourcesOptions,
): ReadonlyMap<string, DerivationOutput> {
  const packages = [...new Set(options.packages)].sort();
  const split = mkDerivation({
    name: options.name,
    environment: toolchain,
    script,
    outputs: packages.map(outputName),
    env: {
      source: storeTree(options.source),
      packages,
      extra: options.extra ?? [],
    },
  });
  return new Map(packages.map((name) => [name, split.output(outputName(name))]));
}

/** A package's name as a variable of the shell. */
function outputName(packageName: string): string {
  return `crate_${packageName.replaceAll("-", "_")}`;
}
