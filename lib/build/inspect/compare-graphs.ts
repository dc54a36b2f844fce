import type { DerivationPath } from "#lib/derivations/store-path.ts";
import { compareDerivations, type DerivationComparison, type DerivationGraph } from "./compare-derivations.ts";

/** A root in its graph. */
export interface RootedGraph {
  readonly path: DerivationPath;
  readonly graph: DerivationGraph;
}

/** A derivation that differs from the one in its place before. */
export interface ComparedPair extends DerivationComparison {
  readonly before: DerivationPath;
  readonly after: DerivationPath;
  /** Names from the root to the derivation. */
  readonly chain: readonly string[];
}

interface Link {
  readonly name: string;
  readonly parent: Link | undefined;
}

/** Walks down both graphs along what differs, from the roots; every pair once, and by a shortest way. */
export function comparedPairs(before: RootedGraph, after: RootedGraph): readonly ComparedPair[] {
  const graphs = { before: before.graph, after: after.graph };
  const pairs: ComparedPair[] = [];
  const seen = new Set<string>();
  const next: { before: DerivationPath; after: DerivationPath; parent: Link | undefined }[] = [
    { before: before.path, after: after.path, parent: undefined },
  ];
  for (const pair of next) {
    const key = `${pair.before} ${pair.after}`;
    const [old, fresh] = [before.graph.get(pair.before), after.graph.get(pair.after)];
    if (pair.before === pair.after || seen.has(key) || old === undefined || fresh === undefined) continue;
    seen.add(key);
    const link: Link = { name: fresh.name, parent: pair.parent };
    const comparison = compareDerivations(old, fresh, graphs);
    pairs.push({ before: pair.before, after: pair.after, chain: chainOf(link), ...comparison });
    for (const input of comparison.inputs) next.push({ ...input, parent: link });
  }
  return pairs;
}

function chainOf(link: Link): string[] {
  const chain: string[] = [];
  for (let current: Link | undefined = link; current !== undefined; current = current.parent) chain.push(current.name);
  return chain.reverse();
}
