/** Artifacts that a command makes, as derivations. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { source } from "#lib/derivations/source.ts";
import { parseNpmLock } from "#lib/fetchers/npm.ts";
import type { Config } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import { sourceCopy } from "#pkgs/source-copy.ts";
import { storeTree } from "#pkgs/tree.ts";
import { workspacePath } from "../workspace.ts";
import {
  type Artifact,
  type CustomArtifact,
  environmentNamed,
  environmentOf,
  type Group,
  shellCommand,
} from "./artifacts.ts";
import { commandVariables } from "./variables.ts";

const script = source({ path: join(import.meta.dirname, "custom.sh") });

/** What a command is and makes. */
interface Command {
  /** Quoted for the shell. */
  readonly command: string;
  /** Relative to the sources. */
  readonly result: string;
  readonly kind: "file" | "dir";
  /** Besides what profile, artifact and inputs give. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The file or directory that a command makes in a copy of a directory. */
export function commandProduct(
  config: Config,
  pkgs: Packages,
  group: Group,
  artifact: Artifact,
  directory: string,
  { command, result, kind, env }: Command,
): string {
  const built = pkgs.mkDerivation({
    name: artifact.id,
    environment: environmentNamed(config, pkgs, environmentOf(config, group, artifact)),
    script,
    env: {
      ...commandVariables(config, pkgs, group, artifact, directory),
      ...env,
      source: storeTree(directory),
      sourceCopy,
      command,
      result,
      kind,
    },
  });
  return `${built}`;
}

/** The file or directory of a custom artifact. `made` has the artifacts that it may come after. */
export function customProduct(
  config: Config,
  pkgs: Packages,
  artifact: CustomArtifact,
  directory: string,
  made: Readonly<Record<string, string>>,
): string {
  const before = artifact.after_artifacts.flatMap((reference) => {
    const id = reference.replace(/[?]$/, "");
    return made[id] === undefined ? [] : [[`ARTIFACT_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`, made[id]]];
  });
  return commandProduct(config, pkgs, "custom", artifact, directory, {
    command: shellCommand(artifact.build_command),
    result: artifact.output_path ?? "",
    kind: artifact.kind,
    env: {
      ...Object.fromEntries(before),
      ...nodeModules(config, pkgs, artifact),
    },
  });
}

/** Where the packages of an artifact's npm lock are. The lock is read here, as it says which derivations there are. */
function nodeModules(config: Config, pkgs: Packages, { id, npm_lock }: CustomArtifact): Record<string, string> {
  const lockFile = npm_lock === null ? undefined : workspacePath(config.workspace, npm_lock);
  if (lockFile === undefined) return {};
  try {
    const lock = readFileSync(lockFile, "utf8");
    return { nodeModules: `${pkgs.nodeModules({ name: `${id}-npm`, lockFile, lock })}/node_modules` };
  } catch (error) {
    // An assertion tells of a lock that is none, wherever the system comes from.
    if (lockProblem(lockFile) === undefined) throw error;
    return {};
  }
}

/** Why a local file is not the lock of npm that it is to be; undefined if it is. */
export function lockProblem(lockFile: string): string | undefined {
  try {
    parseNpmLock(lockFile, readFileSync(lockFile, "utf8"));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
