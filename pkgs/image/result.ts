import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { mkDerivation } from "../mk-derivation.ts";

/** One artifact of a system. */
export interface ArtifactRecord {
  readonly id: string;
  /** The table that declares it: `program.rust` … */
  readonly producer: string;
  /** Its file or directory in the store. */
  readonly path: string;
  /** The hash of all that it is built from; absent when it is taken as it is. */
  readonly fingerprint?: string;
  /** Where it is in the image. */
  readonly installed: readonly string[];
}

/** What lies beside an image. */
export interface ResultOptions {
  readonly name: string;
  readonly image: Derivation;
  /** A directory whose files lie beside the image. */
  readonly archive?: Derivation;
  /** Text of `resolved.toml`. */
  readonly resolved: string;
  readonly artifacts: readonly ArtifactRecord[];
}

const script = source({ path: join(import.meta.dirname, "result.sh") });

/**
 * The image with its manifest and report, and beside them how it came to be:
 * `resolved.toml`, and a record of each artifact. The image is linked, not
 * copied, and does not depend on the records: a change of what is only written
 * down builds no image.
 */
export function result(tools: Derivation, { name, image, archive, resolved, artifacts }: ResultOptions): Derivation {
  return mkDerivation({
    name,
    environment: tools,
    script,
    env: {
      linked: archive === undefined ? [image] : [image, archive],
      resolved,
      artifacts: JSON.stringify(artifacts.map(({ fingerprint = null, ...record }) => ({ ...record, fingerprint }))),
      passAsFile: ["resolved", "artifacts"],
    },
  });
}
