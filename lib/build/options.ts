import { availableParallelism } from "node:os";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationPath } from "#lib/derivations/store-path.ts";
import type { PublicKey } from "#lib/store/signature.ts";
import type { Limits } from "./limits.ts";

/** Where results are taken from, and whose word counts. */
export interface SubstitutionOptions {
  /** URLs of binary caches; earlier ones are asked first. */
  readonly caches: readonly string[];
  readonly trusted: readonly PublicKey[];
}

/** How to build. */
export interface BuildOptions {
  /** Builders that run at once; by default one for each processor. */
  readonly jobs?: number | undefined;
  /**
   * What each builder is told to use (NIX_BUILD_CORES); by default all processors: most of the time one long build
   * is what everything waits for, and it should have the whole machine.
   */
  readonly cores?: number | undefined;
  /** Downloads that run at once. */
  readonly fetches?: number | undefined;
  /** After a failure, goes on with what does not depend on it. */
  readonly keepGoing?: boolean | undefined;
  /** Keeps the directories of failed builds, with a script that runs them again. */
  readonly keepFailed?: boolean | undefined;
  /** Limits of each build. */
  readonly limits?: Limits | undefined;
  /** Asks binary caches for what is missing before it is built. */
  readonly substitution?: SubstitutionOptions | undefined;
  /** Lines of a failed build's log that go into the error. */
  readonly logLines?: number | undefined;
  /** What describes a root: the directory of its flake, or a file. Later builds of the same are compared with this one. */
  readonly originOf?: ((root: Derivation) => string) | undefined;
  /** The command that builds one derivation again and keeps its directory; shown with failures. */
  readonly replayCommand?: ((derivation: DerivationPath) => string) | undefined;
}

/** Options without gaps. */
export interface CompleteOptions {
  readonly jobs: number;
  readonly cores: number;
  readonly fetches: number;
  readonly keepGoing: boolean;
  readonly keepFailed: boolean;
  readonly limits: Limits;
  readonly substitution: SubstitutionOptions | undefined;
  readonly logLines: number;
  readonly replayCommand: ((derivation: DerivationPath) => string) | undefined;
}

/** Fills in the defaults. */
export function completeOptions(options: BuildOptions): CompleteOptions {
  const jobs = Math.max(1, options.jobs ?? availableParallelism());
  return {
    jobs,
    cores: Math.max(1, options.cores ?? availableParallelism()),
    fetches: Math.max(1, options.fetches ?? 8),
    keepGoing: options.keepGoing ?? false,
    keepFailed: options.keepFailed ?? false,
    limits: options.limits ?? {},
    substitution: options.substitution,
    logLines: options.logLines ?? 20,
    replayCommand: options.replayCommand,
  };
}
