import { type Derivation, derivation } from "#lib/derivations/derivation.ts";
import type { LockedPackage } from "#lib/flake/lock.ts";

/**
 * The `.deb` file of a locked package: a fixed-output fetch of its pool path.
 * Which mirror it comes from is the fetcher's business and no part of the identity.
 */
export function debianPackage(pinned: LockedPackage): Derivation {
  return derivation({
    name: fileName(pinned.path),
    builder: "builtin:fetch-url",
    env: { path: pinned.path, size: pinned.size },
    fixedOutput: { mode: "flat", hash: { algorithm: "sha256", hex: pinned.sha256 } },
  });
}

/** The last component of a pool path, with what a store path may not contain (`~`, `:`) replaced. */
function fileName(poolPath: string): string {
  return poolPath.slice(poolPath.lastIndexOf("/") + 1).replace(/[^A-Za-z0-9+\-._?=]/g, "-");
}
