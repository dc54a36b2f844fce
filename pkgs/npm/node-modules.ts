import { join } from "node:path";
import { type Derivation, derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { type NpmPackage, parseNpmLock } from "#lib/fetchers/npm.ts";
import { mkDerivation } from "../mk-derivation.ts";

/** What packages are to be unpacked. */
export interface NodeModulesOptions {
  readonly name: string;
  /** What the lock file is called, for messages. */
  readonly lockFile: string;
  /** Its content: a `package-lock.json` of version 2 or 3. */
  readonly lock: string;
}

const script = source({ path: join(import.meta.dirname, "node-modules.sh") });

/**
 * The `node_modules` directory that a lock file describes, for the build machine: each package's tarball is a fixed
 * output, and no install script runs.
 *
 * @throws InvalidNpmLock
 */
export function nodeModules(node: Derivation, { name, lockFile, lock }: NodeModulesOptions): Derivation {
  const packages = parseNpmLock(lockFile, lock).filter(runsHere);
  return mkDerivation({
    name,
    environment: node,
    script,
    env: {
      packages: packages.map((pinned) => `${tarball(pinned)}\t${pinned.path}\n`).join(""),
      programs: [...programsOf(packages)].map(([program, file]) => `${program}\t${file}\n`).join(""),
      passAsFile: ["packages", "programs"],
    },
  });
}

/**
 * The programs on the path of scripts, those of packages at the top, and their files. Of packages that have a program
 * of the same name, the first one's counts, as npm has it: they are in the order of their places.
 */
function programsOf(packages: readonly NpmPackage[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { path, programs } of packages) {
    if (path.lastIndexOf("node_modules/") !== 0) continue;
    for (const [program, file] of Object.entries(programs)) {
      if (!files.has(program)) files.set(program, `${path}/${file}`);
    }
  }
  return files;
}

/** A package's tarball; which registry it comes from is the fetcher's business. */
function tarball({ name, version, hash }: Pick<NpmPackage, "name" | "version" | "hash">): Derivation {
  return derivation({
    name: `${name.replace(/^@/, "").replaceAll(/[^A-Za-z0-9+\-._?=]/g, "-")}-${version}.tgz`,
    builder: "builtin:fetch-url",
    env: { npm: `${name}@${version}` },
    fixedOutput: { mode: "flat", hash },
  });
}

/** Builds run on Linux on x86-64 with the GNU C library, whatever machine this is. */
function runsHere({ platforms: { os, cpu, libc } }: NpmPackage): boolean {
  return admits(os, "linux") && admits(cpu, "x64") && admits(libc, "glibc");
}

function admits(list: readonly string[], here: string): boolean {
  if (list.includes(`!${here}`)) return false;
  return list.includes(here) || list.every((entry) => entry.startsWith("!"));
}
