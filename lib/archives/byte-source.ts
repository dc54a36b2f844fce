import type { FileSystemShape } from "#lib/platform/file-system.ts";

/**
 * Sequential bytes with a known position: what every format reader here reads
 * from. There is one over streams, where skipping means reading, and one over
 * files, where skipping costs nothing.
 */
export interface ByteSource {
  /** Bytes consumed so far. */
  readonly position: number;
  /** Exactly `length` bytes, or fewer at the end. The result may be overwritten by the next call. */
  read(length: number): Promise<Buffer>;
  /** At least one and at most `limit` bytes without copying, or an empty buffer at the end. */
  chunk(limit: number): Promise<Buffer>;
  /** Skips up to `length` bytes and says how many there were. */
  skip(length: number): Promise<number>;
}

const empty = Buffer.alloc(0);

/** Reads from a stream, or any iterable of buffers. */
export class StreamSource implements ByteSource {
  position = 0;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #buffer: Buffer = empty;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  async read(length: number): Promise<Buffer> {
    if (this.#buffer.length >= length) return this.#take(length);
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.chunk(missing);
      if (part.length === 0) break;
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async chunk(limit: number): Promise<Buffer> {
    while (this.#buffer.length === 0) {
      const next = await this.#iterator.next();
      if (next.done === true) return empty;
      this.#buffer = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return this.#take(Math.min(limit, this.#buffer.length));
  }

  async skip(length: number): Promise<number> {
    let skipped = 0;
    while (skipped < length) {
      const part = await this.chunk(length - skipped);
      if (part.length === 0) break;
      skipped += part.length;
    }
    return skipped;
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.position += length;
    return taken;
  }
}

/** An open file, as `fs.promises.open` returns it. */
export type OpenFile = Awaited<ReturnType<FileSystemShape["promises"]["open"]>>;

const windowSize = 1 << 16;

/** Reads a part of an open file; `position` counts from the start of that part. */
export class FileSource implements ByteSource {
  position = 0;
  readonly #file: OpenFile;
  readonly #start: number;
  readonly #length: number;
  readonly #window = Buffer.allocUnsafe(windowSize);
  /** The file's bytes from `#windowStart` (relative to the part) lie in `#window[0, #windowLength)`. */
  #windowStart = 0;
  #windowLength = 0;

  constructor(file: OpenFile, start: number, length: number) {
    this.#file = file;
    this.#start = start;
    this.#length = length;
  }

  async read(length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.#length - this.position);
    if (wanted <= this.#available()) return this.#take(wanted);
    const result = Buffer.allocUnsafe(wanted);
    let filled = 0;
    while (filled < wanted) {
      const part = await this.chunk(wanted - filled);
      if (part.length === 0) break;
      filled += part.copy(result, filled);
    }
    return result.subarray(0, filled);
  }

  async chunk(limit: number): Promise<Buffer> {
    if (this.#available() === 0) {
      const wanted = Math.min(windowSize, this.#length - this.position);
      if (wanted <= 0) return empty;
      const { bytesRead } = await this.#file.read(this.#window, 0, wanted, this.#start + this.position);
      this.#windowStart = this.position;
      this.#windowLength = bytesRead;
      if (bytesRead === 0) return empty;
    }
    return this.#take(Math.min(limit, this.#available()));
  }

  async skip(length: number): Promise<number> {
    const skipped = Math.min(length, this.#length - this.position);
    this.position += skipped;
    return skipped;
  }

  #available(): number {
    const end = this.#windowStart + this.#windowLength;
    return this.position >= this.#windowStart && this.position < end ? end - this.position : 0;
  }

  #take(length: number): Buffer {
    const offset = this.position - this.#windowStart;
    this.position += length;
    return this.#window.subarray(offset, offset + length);
  }
}
