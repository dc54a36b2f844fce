import { createHash, type Hash as NodeHash } from "node:crypto";
import { type Hash, type HashAlgorithm } from "#lib/derivations/hash.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { type NarOptions, type Sink, writeNar } from "./nar-writer.ts";

/** The SHA-256 and the size of a tree's NAR. */
export interface NarHash {
  readonly hash: Hash;
  readonly size: number;
}

/** A running hash. */
export class Hasher {
  readonly #algorithm: HashAlgorithm;
  readonly #hash: NodeHash;

  constructor(algorithm: HashAlgorithm) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): Hash {
    return { algorithm: this.#algorithm, hex: this.#hash.digest("hex") };
  }
}

/** Hashes the NAR of a file or tree; `tee` sees the archive too. */
export async function hashTree(
  fs: FileSystemShape,
  path: string,
  options: NarOptions = {},
  tee?: Sink,
): Promise<NarHash> {
  const hasher = new Hasher("sha256");
  const size = await writeNar(
    fs,
    path,
    tee === undefined
      ? (chunk) => hasher.update(chunk)
      : (chunk) => {
          hasher.update(chunk);
          return tee(chunk);
        },
    options,
  );
  return { hash: hasher.digest(), size };
}
