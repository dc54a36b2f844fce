import { fingerprintOf } from "#lib/derivations/fingerprint.ts";
import { tokenTargets } from "#lib/derivations/token.ts";
import type { Config } from "#lib/evaluator/index.ts";
import type { ArtifactRecord } from "#pkgs/image/result.ts";
import { selectedArtifacts } from "./artifacts.ts";
import { installedItems } from "./problems.ts";

/** What is written down of each artifact, by id. */
export function artifactRecords(config: Config): readonly ArtifactRecord[] {
  const { products } = config.program;
  const items = installedItems(config);
  const records = Object.entries(selectedArtifacts(config)).flatMap(([group, artifacts]) =>
    artifacts.flatMap(({ id }): ArtifactRecord[] => {
      const path = products[id];
      if (path === undefined) return [];
      const [made] = tokenTargets(path);
      const installed = items.filter(({ artifact }) => artifact === id).map(({ dest }) => dest);
      const fingerprint = made?._tag === "DerivationOutput" ? { fingerprint: fingerprintOf(made.derivation) } : {};
      return [{ id, producer: `program.${group}`, path, ...fingerprint, installed }];
    }),
  );
  return records.sort((left, right) => (left.id < right.id ? -1 : 1));
}
