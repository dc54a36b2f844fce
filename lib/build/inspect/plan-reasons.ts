import type { Instantiation } from "#lib/derivations/instantiate.ts";
import { derivationName, type DerivationPath } from "#lib/derivations/store-path.ts";
import type { BuildRecord } from "./build-record.ts";
import type { DerivationChange, DerivationGraph } from "./compare-derivations.ts";
import { comparedPairs } from "./compare-graphs.ts";
import { formatChange } from "./why-rebuild.ts";

/** Why something has to be built or fetched. */
export type PlanReason =
  /** No build of the root is recorded to compare with. */
  | { readonly kind: "first-build" }
  /** It was no part of the last build. */
  | { readonly kind: "new" }
  /** It is what it was, but its output is not in the store any more. */
  | { readonly kind: "gone" }
  /** It differs by itself. */
  | { readonly kind: "changed"; readonly changes: readonly DerivationChange[] }
  /** Only inputs of it differ. */
  | { readonly kind: "inputs-changed"; readonly inputs: readonly string[] };

/** Finds reasons by comparing with the last successful build of the root. */
export function planReasons(
  root: DerivationPath,
  instantiation: Instantiation,
  record: BuildRecord | undefined,
): (path: DerivationPath) => PlanReason {
  if (record === undefined) return () => ({ kind: "first-build" });
  const graph: DerivationGraph = new Map([...instantiation.byPath].map(([path, { store }]) => [path, store]));
  const reasons = new Map<DerivationPath, PlanReason>();
  for (const pair of comparedPairs({ path: record.root, graph: record.derivations }, { path: root, graph })) {
    if (reasons.has(pair.after)) continue;
    const inputs = pair.inputs.map(({ after }) => derivationName(after));
    reasons.set(
      pair.after,
      pair.changes.length > 0
        ? { kind: "changed", changes: pair.changes }
        : { kind: "inputs-changed", inputs: [...new Set(inputs)] },
    );
  }
  return (path) => {
    // What stood elsewhere before may be paired with something else now, and yet be as it was.
    if (record.derivations.has(path)) return { kind: "gone" };
    return reasons.get(path) ?? { kind: "new" };
  };
}

/** A reason as lines for people. */
export function formatReason(reason: PlanReason): string[] {
  switch (reason.kind) {
    case "first-build":
      return ["no earlier build is recorded"];
    case "new":
      return ["new"];
    case "gone":
      return ["not in the store any more"];
    case "changed":
      return reason.changes.flatMap(formatChange);
    case "inputs-changed":
      return reason.inputs.map((name) => `${name} changed`);
  }
}
