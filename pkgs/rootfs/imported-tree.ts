import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { ArchiveLayer } from "../builtin-builders.ts";
import { mkDerivation } from "../mk-derivation.ts";

/** A root file system that was made elsewhere, in the store. */
export type ImportedTree =
  /** Plain or compressed. Owners, modes, hard links and extended attributes are kept. */
  | { readonly kind: "tar"; readonly path: string }
  /** Everything in it is root's, of modes only "executable" is kept, and hard links are copies: a store holds no more. */
  | { readonly kind: "directory"; readonly path: string }
  /** A disk, or a file system of the ext family. All is kept but devices, sockets, and extended attributes with control characters in their names. */
  | {
      readonly kind: "image";
      readonly path: string;
      /** Its number in the partition table; by default the largest that holds an ext file system. */
      readonly partition: number | null;
    };

const directoryScript = source({ path: join(import.meta.dirname, "imported-directory.sh") });
const imageScript = source({ path: join(import.meta.dirname, "imported-image.sh") });
const entriesScript = source({ path: join(import.meta.dirname, "imported-entries.sh") });

/** The tree as a layer that wins over those below it. */
export function importedLayer(tools: Derivation, name: string, tree: ImportedTree): ArchiveLayer {
  const common = { name: `${name}-import`, force: true } as const;
  switch (tree.kind) {
    case "tar":
      return { ...common, kind: "tar", path: tree.path };
    case "directory": {
      const entries = mkDerivation({
        name: `${name}-import.json`,
        environment: tools,
        script: directoryScript,
        env: { tree: tree.path },
      });
      return { ...common, kind: "entries", path: `${entries}` };
    }
    case "image": {
      const unpacked = mkDerivation({
        name: `${name}-import`,
        environment: tools,
        script: imageScript,
        outputs: ["out", "inodes", "attributes"],
        env: { image: tree.path, partition: tree.partition ?? "" },
      });
      const entries = mkDerivation({
        name: `${name}-import.json`,
        environment: tools,
        script: entriesScript,
        env: { tree: unpacked, inodes: unpacked.output("inodes"), attributes: unpacked.output("attributes") },
      });
      return { ...common, kind: "entries", path: `${entries}` };
    }
  }
}
