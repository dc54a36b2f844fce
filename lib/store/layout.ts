import { userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { baseName, type DerivationPath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import type { RealisationKey } from "#lib/derivations/hash-modulo.ts";
import { realisationFile } from "./realisation.ts";

/** Where the parts of a store lie. All paths are absolute, on this machine. */
export interface Layout {
  readonly root: string;
  /** The store directory. */
  readonly objects: string;
  /** One file for each valid path. */
  readonly info: string;
  /** What is known of paths that a repair had to make invalid: the next repair goes on from there. */
  readonly withdrawn: string;
  readonly realisations: string;
  /** One link for each root link, to where that is. */
  readonly roots: string;
  /** One file for each process: the paths that it uses. */
  readonly users: string;
  /** One file for each derivation that was built. */
  readonly logs: string;
  /** One directory for each failed build that was kept. */
  readonly failures: string;
  /** What builds consisted of and took; only explains, decides nothing. */
  readonly builds: string;
  readonly locks: string;
  readonly temporary: string;
  /** Unfinished downloads, named by what they are to become; they outlive processes. */
  readonly partial: string;
}

/** The parts of the store at `root`. */
export function layoutOf(root: string): Layout {
  const state = join(root, "nix/var/helios");
  return {
    root,
    objects: join(root, storeDirectory),
    info: join(state, "info"),
    withdrawn: join(state, "withdrawn"),
    realisations: join(state, "realisations"),
    roots: join(state, "roots"),
    users: join(state, "users"),
    logs: join(state, "logs"),
    failures: join(state, "failed"),
    builds: join(state, "builds"),
    locks: join(state, "locks"),
    temporary: join(state, "tmp"),
    partial: join(state, "partial"),
  };
}

/** Where a store path is on this machine. */
export function physicalPath(layout: Layout, path: string): string {
  return layout.root === "/" ? path : layout.root + path;
}

/** The info file of a path. */
export function infoFile(layout: Layout, path: StorePath): string {
  return `${layout.info}/${baseName(path)}.json`;
}

/** What is known of a path that was made invalid. */
export function withdrawnFile(layout: Layout, path: StorePath): string {
  return `${layout.withdrawn}/${baseName(path)}.json`;
}

/** Where the log of a derivation is kept: one plain text file, replaced by the next build of the same derivation. */
export function logFile(layout: Pick<Layout, "logs">, derivation: DerivationPath): string {
  return `${layout.logs}/${baseName(derivation)}.log`;
}

/** Where the directory of a derivation's failed build is kept, if it is. */
export function keptFailure(layout: Layout, derivation: DerivationPath): string {
  return `${layout.failures}/${baseName(derivation).replace(/\.drv$/, "")}`;
}

/** The file of a realisation. */
export function realisationPath(layout: Layout, key: RealisationKey): string {
  return `${layout.realisations}/${realisationFile(key)}`;
}

/** The store that is used when none is named: HELIOS_STORE, else below the user's data directory. */
export function defaultRoot(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { HELIOS_STORE: store, XDG_DATA_HOME: data, HOME: home } = env;
  if (store !== undefined && store !== "") return resolve(store);
  // The XDG specification says that relative paths are to be ignored.
  if (data !== undefined && isAbsolute(data)) return join(data, "helios");
  return join(home !== undefined && isAbsolute(home) ? home : userInfo().homedir, ".local/share/helios");
}
