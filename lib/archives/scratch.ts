import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { OpenFile } from "./byte-source.ts";
import { ArchiveFileError } from "./errors.ts";

/** A file that content is appended to and read back from; nothing of it outlives the operation. */
export class ScratchFile {
  readonly path: string;
  readonly #file: OpenFile;
  #end = 0;

  private constructor(path: string, file: OpenFile) {
    this.path = path;
    this.#file = file;
  }

  static async create(fs: FileSystemShape, path: string): Promise<ScratchFile> {
    return new ScratchFile(path, await fs.promises.open(path, "wx+"));
  }

  get file(): OpenFile {
    return this.#file;
  }

  /** Where the next byte goes. */
  get end(): number {
    return this.#end;
  }

  /** Appends a whole stream. One writer at a time. */
  async append(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of bytes) {
      await namingPath(this.path, () => writeFully(this.#file, chunk, this.#end));
      this.#end += chunk.byteLength;
    }
  }
}

/** Writes all of `bytes`; a single write may do less. Without a position the file's own is used. */
export async function writeFully(file: OpenFile, bytes: Uint8Array, position?: number): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; ) {
    const at = position === undefined ? null : position + offset;
    const { bytesWritten } = await file.write(bytes, offset, bytes.byteLength - offset, at);
    offset += bytesWritten;
  }
}

/** Gives errors of writing their place; Node's own do not say which file, and reading goes on at the same time. */
export async function namingPath<A>(path: string, write: () => Promise<A>): Promise<A> {
  try {
    return await write();
  } catch (cause) {
    throw errorCode(cause) === undefined ? cause : new ArchiveFileError({ path, cause });
  }
}

/** Collects small writes into large ones. */
export class BufferedWriter {
  readonly #file: OpenFile;
  #buffer = Buffer.allocUnsafe(bufferSize);
  #spare = Buffer.allocUnsafe(bufferSize);
  #length = 0;
  #pending: Promise<void> = Promise.resolve();
  /** Bytes written so far, buffered ones included. */
  position = 0;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.position += bytes.byteLength;
    for (let offset = 0; offset < bytes.byteLength; ) {
      const part = bytes.subarray(offset, offset + bufferSize - this.#length);
      this.#buffer.set(part, this.#length);
      this.#length += part.byteLength;
      offset += part.byteLength;
      if (this.#length === bufferSize) await this.#flush();
    }
  }

  /** Waits until everything is in the file. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#pending;
  }

  /** Starts writing the full buffer and goes on with the other: the caller's work and the disk's overlap. */
  async #flush(): Promise<void> {
    await this.#pending;
    const full = this.#buffer.subarray(0, this.#length);
    [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
    this.#length = 0;
    this.#pending = writeFully(this.#file, full);
    // Awaited at the next flush; until then a failure is not an unhandled one.
    this.#pending.catch(() => {});
  }
}

const bufferSize = 1 << 20;
