import { createHash } from "node:crypto";
import type { Hash as Hasher } from "node:crypto";
import type { Hash } from "#lib/derivations/hash.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";

/** A part file that is being written: its hash so far and how to add to it. */
export interface OpenPart {
  /** Bytes that are there. */
  readonly bytes: () => number;
  readonly append: (chunk: Uint8Array) => Promise<void>;
  /** Forgets everything and starts at the beginning. */
  readonly restart: () => Promise<void>;
  /** The digest of what is there; ends the hashing. */
  readonly digest: () => string;
  readonly close: () => Promise<void>;
}

/** What has arrived of a file, under the hash that it shall have. */
export class PartFile {
  readonly path: string;
  readonly #fs: FileSystemShape;
  readonly #algorithm: string;

  constructor(fs: FileSystemShape, directory: string, hash: Hash) {
    this.#fs = fs;
    this.#algorithm = hash.algorithm;
    this.path = `${directory}/${hash.algorithm}-${hash.hex}.part`;
  }

  /** Opens what an earlier attempt left, and hashes it. */
  async open(): Promise<OpenPart> {
    const file = await this.#fs.promises.open(this.path, "a+", 0o644);
    let hasher: Hasher = createHash(this.#algorithm);
    let bytes = 0;
    try {
      // Garbage collection takes what nobody has written to for long, and the first new byte may take its time.
      const now = new Date();
      await file.utimes(now, now);
      const buffer = Buffer.allocUnsafe(1 << 20);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
        if (bytesRead === 0) break;
        hasher.update(buffer.subarray(0, bytesRead));
        bytes += bytesRead;
      }
    } catch (cause) {
      await file.close();
      throw cause;
    }
    return {
      bytes: () => bytes,
      append: async (chunk) => {
        hasher.update(chunk);
        for (let offset = 0; offset < chunk.byteLength; ) {
          const { bytesWritten } = await file.write(chunk, offset, chunk.byteLength - offset, null);
          offset += bytesWritten;
        }
        bytes += chunk.byteLength;
      },
      restart: async () => {
        await file.truncate(0);
        hasher = createHash(this.#algorithm);
        bytes = 0;
      },
      digest: () => hasher.digest("hex"),
      close: () => file.close(),
    };
  }

  async discard(): Promise<void> {
    await this.#fs.promises.rm(this.path, { force: true });
  }

  /** Gives the complete file its name. */
  async publish(destination: string): Promise<void> {
    try {
      await this.#fs.promises.rename(this.path, destination);
    } catch (cause) {
      if (errorCode(cause) !== "EXDEV") throw cause;
      await this.#fs.promises.copyFile(this.path, destination);
      await this.discard();
    }
  }
}
