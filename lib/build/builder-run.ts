import { posix } from "node:path";
import { sha256Hex } from "#lib/derivations/hash.ts";
import { outputPlaceholder } from "#lib/derivations/placeholder.ts";
import { knownOutputPath, type StoreDerivation } from "#lib/derivations/store-derivation.ts";
import {
  baseName,
  type DerivationPath,
  makeStorePath,
  outputPathName,
  type StorePath,
} from "#lib/derivations/store-path.ts";
import type { Limits } from "./limits.ts";
import type { BuildLog } from "./log.ts";
import { scratchDirectories } from "./sandbox.ts";

/** One run of a builder. */
export interface BuilderRun {
  readonly path: DerivationPath;
  /** Resolved: its only inputs are store paths. */
  readonly derivation: StoreDerivation;
  /** A private directory on the file system of the store. */
  readonly scratch: string;
  readonly log: BuildLog;
  readonly limits: Limits;
  readonly cores: number;
}

/** The derivation as its builder sees it: placeholders are the paths that it must make. */
export interface BuilderView {
  /** Where the builder makes each output: as it names the place, and where that is on this machine. */
  readonly outputs: ReadonlyMap<string, { readonly path: StorePath; readonly physical: string }>;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * An output whose path is known is made under that path; a floating one under a path that follows from the
 * derivation, so that a build that prints it prints the same everywhere.
 */
export function builderView({ path, derivation, scratch }: BuilderRun): BuilderView {
  const { store } = scratchDirectories(scratch);
  const outputs = new Map<string, { path: StorePath; physical: string }>();
  const placeholders = new Map<string, string>();
  for (const [name, specification] of derivation.outputs) {
    const outputPath =
      knownOutputPath(specification) ??
      makeStorePath(`scratch:${name}`, sha256Hex(path), outputPathName(derivation.name, name));
    outputs.set(name, { path: outputPath, physical: posix.join(store, baseName(outputPath)) });
    placeholders.set(outputPlaceholder(name), outputPath);
  }
  const fill = (text: string): string => {
    let filled = text;
    for (const [placeholder, outputPath] of placeholders) filled = filled.replaceAll(placeholder, outputPath);
    return filled;
  };
  return {
    outputs,
    args: derivation.args.map(fill),
    env: Object.fromEntries([...derivation.env].map(([name, value]) => [name, fill(value)])),
  };
}
