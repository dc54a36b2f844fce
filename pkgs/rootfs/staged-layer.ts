import type { Derivation } from "#lib/derivations/derivation.ts";
import { mkDerivation } from "../mk-derivation.ts";
import type { EntryLayer } from "./entry.ts";

/** Entries that are written to a file of the store: so one can look at them, and what changes them changes a step of its own. */
export interface StagedLayer extends EntryLayer {
  /** A JSON list, with the store paths of sources. */
  readonly file: Derivation;
}

/** The derivation of a layer's file is called `NAME.json`. */
export function stagedLayer(tools: Derivation, name: string, layer: EntryLayer): StagedLayer {
  const file = mkDerivation({
    name: `${name}.json`,
    environment: tools,
    // On lines of their own, so that a comparison of two can tell which entry differs.
    env: { entries: `${JSON.stringify(layer.entries, undefined, 1)}\n`, passAsFile: ["entries"] },
    script: `cp "$entriesPath" "$out"`,
  });
  return { ...layer, file };
}
