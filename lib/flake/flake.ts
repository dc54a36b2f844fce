import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { BootCheck } from "./check.ts";
import type { Configuration } from "./configuration.ts";
import type { GivenInputs } from "./given-inputs.ts";
import type { LockView } from "./lock.ts";
import type { DebianMirrors } from "./mirrors.ts";

/** A Debian archive as an input: where its files are when the host's own apt configuration names no mirror. */
export interface DebianArchive extends DebianMirrors {
  readonly type: "debian-archive";
}

/** What a flake's outputs are made from. */
export interface FlakeContext {
  /** Pinned packages; a request that is not pinned yet is resolved, and the outputs are evaluated again. */
  readonly lock: LockView;
  /** Where the flake lies; relative paths of systems start there. */
  readonly directory: string;
  /** What the command line gives to the inputs of systems. */
  readonly given: GivenInputs;
  /** Whether configuration files may have what Gaia accepted without a word: `--legacy`. */
  readonly legacy: boolean;
}

/** What a flake offers. Values are lazy where they are getters or evaluated configurations. */
export interface FlakeOutputs {
  /** What `build .#NAME` builds. */
  readonly packages: Readonly<Record<string, Derivation>>;
  /** Evaluated configurations, for `eval .#systems.NAME.config…`. */
  readonly systems: Readonly<Record<string, FlakeSystem>>;
  /** What `check` runs. */
  readonly checks: Readonly<Record<string, BootCheck>>;
  /** What `build path/to/build.toml` and its like make of the file, which is given by its absolute path. */
  readonly configuration?: (file: string) => Configuration;
}

/** The part of an evaluated configuration that commands use. */
export interface FlakeSystem {
  readonly config: object;
  /** Every option as data: type, value, definitions. */
  readonly options: object;
}

/** A flake: inputs and outputs. */
export interface Flake {
  readonly description: string;
  readonly inputs: { readonly debian: DebianArchive };
  readonly outputs: (context: FlakeContext) => FlakeOutputs;
}

/** A flake and where it lies. */
export interface LocatedFlake extends Flake {
  /** Directory of `flake.ts`; `flake.lock` is beside it. */
  readonly directory: string;
}

/** Names a Debian archive's public mirrors, nearest first, the snapshot service last. Base URLs end before `/dists` or `/pool`. */
export function debianArchive(mirrors: {
  readonly archives: readonly string[];
  readonly security?: readonly string[];
}): DebianArchive {
  return { type: "debian-archive", archives: mirrors.archives, security: mirrors.security ?? [] };
}

/** Checks the shape of a flake at compile time. */
export function defineFlake(flake: Flake): Flake {
  return flake;
}

/** Adds where a flake's module lies. */
export function locateFlake(flake: Flake, moduleUrl: string): LocatedFlake {
  return { ...flake, directory: dirname(fileURLToPath(moduleUrl)) };
}
