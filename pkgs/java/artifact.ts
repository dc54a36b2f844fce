import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { sourceCopy } from "../source-copy.ts";
import { storeTree, type Tree } from "../tree.ts";

/** A Java archive. */
export interface JavaArtifactOptions {
  readonly name: string;
  /** A tool root with a JDK. */
  readonly environment: Derivation;
  /** Where the sources are. */
  readonly source: Tree;
  /** Version of Java that the classes are for. */
  readonly release: number;
  /** Directories with `.java` files, relative to the sources. */
  readonly sourceDirectories?: readonly string[];
  /** Directories whose content goes into the archive as it is. */
  readonly resourceDirectories?: readonly string[];
  /** Archives that the classes are compiled against, relative to the sources. */
  readonly classPath?: readonly string[];
  /** Class that `java -jar` starts. */
  readonly mainClass?: string | null;
  /** A command of one's own, quoted for the shell, and what it makes, instead of all this. */
  readonly command?: { readonly text: string; readonly result: string };
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

const script = source({ path: join(import.meta.dirname, "artifact.sh") });

/** Compiles Java and packs it: one file, the same bits each time. */
export function javaArtifact(options: JavaArtifactOptions): Derivation {
  const { sourceDirectories = ["."], resourceDirectories = [], classPath = [], command } = options;
  return mkDerivation({
    name: options.name,
    environment: options.environment,
    script,
    env: {
      ...options.env,
      source: storeTree(options.source),
      sourceCopy,
      release: options.release,
      sourceDirectories: lines(sourceDirectories),
      resourceDirectories: lines(resourceDirectories),
      classPath: lines(classPath),
      mainClass: options.mainClass ?? "",
      command: command?.text ?? "",
      result: command?.result ?? "",
    },
  });
}

/** One path a line: they may have blanks. */
function lines(paths: readonly string[]): string {
  return paths.map((path) => `${path}\n`).join("");
}
