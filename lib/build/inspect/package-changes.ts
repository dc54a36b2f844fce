import type { ClosureDifference } from "#lib/store/queries.ts";

/** How much of one package there is in two closures. */
export interface PackageChange {
  readonly name: string;
  /** Versions that are only in the first closure, and only in the second, sorted; "" for a name without one. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Bytes of NAR, after less before. */
  readonly sizeChange: number;
}

/** A package whose versions stay and whose size changes by less is no news: a different time stamp somewhere. */
const leastSizeChange = 8 * 1024;

/** The difference of two closures (`diffClosures` of the store) by packages and their versions. */
export function packageChanges(differences: readonly ClosureDifference[]): PackageChange[] {
  const packages = new Map<string, { before: Set<string>; after: Set<string>; sizeChange: number }>();
  for (const { name: text, removed, added, growth } of differences) {
    const { name, version } = parsePackageName(text);
    const known = packages.get(name) ?? { before: new Set(), after: new Set(), sizeChange: 0 };
    if (removed.length > 0) known.before.add(version);
    if (added.length > 0) known.after.add(version);
    known.sizeChange += growth;
    packages.set(name, known);
  }
  return [...packages]
    .map(([name, { before, after, sizeChange }]) => ({
      name,
      before: [...before].sort(),
      after: [...after].sort(),
      sizeChange,
    }))
    .filter(
      ({ before, after, sizeChange }) =>
        before.join("\n") !== after.join("\n") || Math.abs(sizeChange) >= leastSizeChange,
    )
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Nix's rule: the version begins after the first dash that no letter follows. */
export function parsePackageName(text: string): { readonly name: string; readonly version: string } {
  const dash = text.search(/-[^a-zA-Z]/);
  return dash < 0 ? { name: text, version: "" } : { name: text.slice(0, dash), version: text.slice(dash + 1) };
}
