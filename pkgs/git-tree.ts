import { type Derivation, derivation } from "#lib/derivations/derivation.ts";
import { parseHash } from "#lib/derivations/hash.ts";

/** One revision of a git repository. */
export interface GitTreeOptions {
  readonly name: string;
  /** `https:`, `http:`, `ssh:`, `git:` or `file:`. */
  readonly url: string;
  /** The full hash of a commit. */
  readonly revision: string;
  /** Of the tree, as `sha256-…`. Without it the fetch fails, and tells which one it is. */
  readonly hash?: string;
}

/**
 * The files of a git revision, without `.git`: a fixed output.
 *
 * @throws HashSyntaxError
 */
export function gitTree({ name, url, revision, hash }: GitTreeOptions): Derivation {
  return derivation({
    name,
    builder: "builtin:fetch-git",
    env: { url, revision },
    fixedOutput: { mode: "recursive", hash: hash === undefined ? unknownHash : parseHash(hash, "sha256") },
  });
}

/** What nothing has: its mismatch names the right one. */
const unknownHash = { algorithm: "sha256", hex: "0".repeat(64) } as const;
