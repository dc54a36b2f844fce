import type { Derivation, DerivationOutput } from "#lib/derivations/derivation.ts";
import type { EnvironmentRequest } from "#lib/flake/lock.ts";
import {
  crossCRequest,
  crossRustEnvironment,
  environment,
  type EnvironmentOptions,
  imageToolsRequest,
  javaRequest,
  nativeRustRequest,
  nodeRequest,
  type PackageLock,
  qemuRequest,
} from "./environments.ts";
import { archive, type ArchiveOptions, archiveToolsRequest } from "./image/archive.ts";
import { efiFirmware } from "./firmware.ts";
import { gitTree, type GitTreeOptions } from "./git-tree.ts";
import { image, type ImageOptions } from "./image/image.ts";
import { result, type ResultOptions } from "./image/result.ts";
import { initrd, type InitrdOptions } from "./initrd/initrd.ts";
import { javaArtifact, type JavaArtifactOptions } from "./java/artifact.ts";
import { type Linux, linux, type LinuxOptions } from "./linux/linux.ts";
import { type BuildStep, mkDerivation } from "./mk-derivation.ts";
import { nodeModules, type NodeModulesOptions } from "./npm/node-modules.ts";
import type { EntryLayer } from "./rootfs/entry.ts";
import { rootfs, type RootFileSystem, type RootFileSystemOptions } from "./rootfs/rootfs.ts";
import { type StagedLayer, stagedLayer } from "./rootfs/staged-layer.ts";
import { type StartingPoint, startingPoint, type StartingPointOptions } from "./rootfs/starting-point.ts";
import { rustArtifact, type RustArtifactOptions } from "./rust/artifact.ts";
import { crateSources, type CrateSourcesOptions } from "./rust/crate-sources.ts";

/** Tool roots that builds run in. A root's packages are only asked of the lock when it is used. */
export interface Environments {
  /** Makes root file systems, initial RAM disks and SD images. */
  readonly imageTools: Derivation;
  /** Builds C programs for the target. */
  readonly crossC: Derivation;
  /** Builds Rust programs for the target. */
  readonly crossRust: Derivation;
  /** Builds and runs Rust programs on the build machine. */
  readonly nativeRust: Derivation;
  /** Compiles Java programs. */
  readonly java: Derivation;
  /** Runs Node. */
  readonly node: Derivation;
  /** Runs virtual machines. */
  readonly qemu: Derivation;
}

/** All recipes, with the lock's pins and the tools filled in. */
export interface Packages {
  readonly environments: Environments;
  /** A further tool root. */
  readonly environment: (request: EnvironmentRequest, options?: EnvironmentOptions) => Derivation;
  readonly mkDerivation: (step: BuildStep) => Derivation;
  /** One revision of a git repository. */
  readonly gitTree: (options: GitTreeOptions) => Derivation;
  readonly startingPoint: (options: StartingPointOptions) => StartingPoint;
  readonly linux: (options?: LinuxOptions) => Linux;
  readonly initrd: (options: InitrdOptions) => Derivation;
  readonly stagedLayer: (name: string, layer: EntryLayer) => StagedLayer;
  readonly rootfs: (options: RootFileSystemOptions) => RootFileSystem;
  readonly image: (options: ImageOptions) => Derivation;
  /** An image, packed. */
  readonly archive: (options: ArchiveOptions) => Derivation;
  readonly result: (options: ResultOptions) => Derivation;
  /** EFI firmware for virtual machines, a file. */
  readonly efiFirmware: Derivation;
  readonly rustArtifact: (options: RustArtifactOptions) => Derivation;
  /** The sources of single packages of a Cargo workspace, by package. */
  readonly crateSources: (options: CrateSourcesOptions) => ReadonlyMap<string, DerivationOutput>;
  readonly javaArtifact: (options: JavaArtifactOptions) => Derivation;
  /** What an npm lock file describes, for the build machine. */
  readonly nodeModules: (options: NodeModulesOptions) => Derivation;
}

/** The recipes for one lock. Nothing is computed before it is used. */
export function makePackages({ lock }: { readonly lock: PackageLock }): Packages {
  const environments: Environments = {
    get imageTools() {
      return environment(imageToolsRequest, lock);
    },
    get crossC() {
      return environment(crossCRequest, lock);
    },
    get crossRust() {
      return crossRustEnvironment(lock);
    },
    get nativeRust() {
      return environment(nativeRustRequest, lock);
    },
    get java() {
      return environment(javaRequest, lock);
    },
    get node() {
      return environment(nodeRequest, lock);
    },
    get qemu() {
      return environment(qemuRequest, lock);
    },
  };
  return {
    environments,
    environment: (request, options) => environment(request, lock, options),
    mkDerivation,
    gitTree,
    startingPoint: (options) => startingPoint(environments.imageTools, lock, options),
    linux: (options) => linux(environments.imageTools, lock, options),
    initrd: (options) => initrd(environments.imageTools, lock, options),
    stagedLayer: (name, layer) => stagedLayer(environments.imageTools, name, layer),
    rootfs: (options) => rootfs(environments.imageTools, options),
    image: (options) => image(environments.imageTools, lock, options),
    archive: (options) =>
      archive(
        (compression) => (compression === "zstd" ? environment(archiveToolsRequest, lock) : environments.imageTools),
        options,
      ),
    result: (options) => result(environments.imageTools, options),
    get efiFirmware() {
      return efiFirmware(environments.imageTools, lock);
    },
    rustArtifact: (options) => rustArtifact(environments.crossRust, options),
    crateSources: (options) => crateSources(environments.crossRust, options),
    javaArtifact,
    nodeModules: (options) => nodeModules(environments.node, options),
  };
}
