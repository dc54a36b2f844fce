/** Archives up to this size, in bytes, are kept. */
const largest = 16 * 1024 * 1024;

/**
 * The archive of a tree that is read to be hashed, and perhaps to be written as well: most sources are so small that
 * they need not be read twice. A larger one is forgotten.
 */
export class KeptArchive {
  #chunks: Buffer[] | undefined = [];
  #size = 0;

  /** The whole archive, if it was not too large. */
  get chunks(): readonly Buffer[] | undefined {
    return this.#chunks;
  }

  /** Takes the next part, which the sender may use again. */
  keep(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > largest) this.#chunks = undefined;
    this.#chunks?.push(Buffer.from(chunk));
  }
}
