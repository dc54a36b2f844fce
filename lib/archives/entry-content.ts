import type { ByteSource } from "./byte-source.ts";
import { defaultByteLimit } from "./entry-path.ts";
import { ArchiveTooLarge, MalformedArchive } from "./errors.ts";

/** The contents of files in a stream, one after the other, each with padding behind it: as tar and cpio have them. */
export class EntryContent {
  readonly #archive: string;
  readonly #format: "tar" | "cpio";
  readonly #source: ByteSource;
  readonly #byteLimit: number;
  #bytes = 0;
  #remaining = 0;
  #padding = 0;

  constructor(archive: string, format: "tar" | "cpio", source: ByteSource, byteLimit = defaultByteLimit) {
    this.#archive = archive;
    this.#format = format;
    this.#source = source;
    this.#byteLimit = byteLimit;
  }

  /** Says that content of so many bytes follows in the stream, and then so much padding. */
  begin(size: number, padding: number): void {
    this.#bytes += size;
    if (this.#bytes > this.#byteLimit) {
      throw new ArchiveTooLarge({ archive: this.#archive, what: "bytes", limit: this.#byteLimit });
    }
    this.#remaining = size;
    this.#padding = padding;
  }

  /** The next bytes, empty at the end. Valid until the next call. */
  async chunk(limit = Number.MAX_SAFE_INTEGER): Promise<Buffer> {
    if (this.#remaining === 0) return Buffer.alloc(0);
    const part = await this.#source.chunk(Math.min(limit, this.#remaining));
    if (part.length === 0) throw this.#cutOff();
    this.#remaining -= part.length;
    return part;
  }

  /** Passes over what was not taken, and the padding. */
  async skip(): Promise<void> {
    const rest = this.#remaining + this.#padding;
    if (rest > 0 && (await this.#source.skip(rest)) < rest) throw this.#cutOff();
    this.#remaining = 0;
    this.#padding = 0;
  }

  #cutOff(): MalformedArchive {
    return new MalformedArchive({
      archive: this.#archive,
      format: this.#format,
      offset: this.#source.position,
      reason: "the content of an entry is cut off",
    });
  }
}
