import type { DerivationOutput } from "#lib/derivations/derivation.ts";
import { type Source, source } from "#lib/derivations/source.ts";
import { tokenTargets } from "#lib/derivations/token.ts";

/** What a program is built from: an absolute local path, a string that stands for a path in the store, a source of chosen files, or an output. */
export type Tree = string | Source | DerivationOutput;

/** A local directory becomes a source, without what its `.gitignore` files name; all else stays what it is. */
export function storeTree(tree: Tree): Tree {
  if (typeof tree !== "string" || tokenTargets(tree).length > 0) return tree;
  return source({ path: tree, gitignore: true });
}
