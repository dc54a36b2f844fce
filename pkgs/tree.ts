import type { DerivationOutput } from "#lib/derivations/derivation.ts";
import { type Source, source } from "#lib/derivations/source.ts";
import { longestName } from "#lib/derivations/store-path.ts";
import { tokenTargets } from "#lib/derivations/token.ts";

/** What a program is built from: an absolute local path, a string that stands for a path in the store, a source of chosen files, or an output. */
export type Tree = string | Source | DerivationOutput;

/** The local file or directory of a path that a user wrote; its name in the store is as close to its own as names there can be. */
export function localSource(path: string, options: { readonly gitignore?: boolean } = {}): Source {
  const own = path.replace(/\/+$/, "");
  const name = own
    .slice(own.lastIndexOf("/") + 1)
    .replaceAll(/[^0-9A-Za-z+\-._?=]+/g, "-")
    .replace(/^\.+/, "")
    .slice(0, longestName);
  return source({ path, name: name === "" ? "source" : name, ...options });
}

/** A local directory becomes a source, without what its `.gitignore` files name; all else stays what it is. */
export function storeTree(tree: Tree): Tree {
  if (typeof tree !== "string" || tokenTargets(tree).length > 0) return tree;
  return localSource(tree, { gitignore: true });
}
