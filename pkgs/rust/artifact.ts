import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { sourceCopy } from "../source-copy.ts";
import { storeTree, type Tree } from "../tree.ts";

/** The one target whose standard library the toolchain has. */
export const rustTarget = "aarch64-unknown-linux-gnu";

/** A Rust program or library for the target. */
export interface RustArtifactOptions {
  readonly name: string;
  /** The Cargo workspace, or what `crateSources` took of one. It has a Cargo.lock, and crates in `vendor`. */
  readonly source: Tree;
  /** The package to build; needed where the workspace has several. */
  readonly package?: string;
  /** Programs to keep, in `bin`. */
  readonly binaries?: readonly string[];
  /** C dynamic libraries to keep, by crate name, in `lib` as `lib<name>.so`. */
  readonly libraries?: readonly string[];
  readonly target?: string;
  /** Cargo profile, `release` by default. */
  readonly profile?: string;
  readonly cargoFlags?: readonly string[];
  readonly rustFlags?: readonly string[];
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

const script = source({ path: join(import.meta.dirname, "artifact.sh") });

/** Builds a Cargo package for arm64, offline and reproducibly: `bin/<program>` and `lib/lib<library>.so`. */
export function rustArtifact(toolchain: Derivation, options: RustArtifactOptions): Derivation {
  const { name, binaries = [], libraries = [], profile = "release", target = rustTarget } = options;
  if (binaries.length + libraries.length === 0) {
    throw new RangeError(`The Rust artifact '${name}' keeps nothing. Name its binaries or libraries.`);
  }
  return mkDerivation({
    name,
    environment: toolchain,
    script,
    env: {
      ...options.env,
      source: storeTree(options.source),
      sourceCopy,
      package: options.package ?? "",
      target,
      profile,
      cargoFlags: options.cargoFlags ?? [],
      rustFlags: options.rustFlags ?? [],
      binaries,
      libraries,
    },
  });
}
