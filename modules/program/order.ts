import type { CustomArtifact } from "./artifacts.ts";

/** Custom artifacts, each after those that it names; and what keeps that from being an order. */
export function inOrder(artifacts: readonly CustomArtifact[]): {
  readonly artifacts: readonly CustomArtifact[];
  readonly problems: readonly string[];
} {
  const byId = new Map(artifacts.map((artifact) => [artifact.id, artifact]));
  const ordered: CustomArtifact[] = [];
  const problems: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (artifact: CustomArtifact, chain: readonly string[]): void => {
    if (state.get(artifact.id) === "done") return;
    if (state.get(artifact.id) === "open") {
      problems.push(
        `after_artifacts go in a circle: ${[...chain.slice(chain.indexOf(artifact.id)), artifact.id].join(" → ")}.`,
      );
      return;
    }
    state.set(artifact.id, "open");
    for (const reference of artifact.after_artifacts) {
      const before = byId.get(reference.replace(/[?]$/, ""));
      if (before !== undefined) visit(before, [...chain, artifact.id]);
    }
    state.set(artifact.id, "done");
    ordered.push(artifact);
  };
  for (const artifact of artifacts) visit(artifact, []);
  return { artifacts: ordered, problems };
}
