import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { OpenFile } from "./byte-source.ts";
import { ArchiveFileError } from "./errors.ts";
import type { Content, Inode } from "./root-tree.ts";

const windowSize = 1 << 20;
/** What is read at least where reads jump about. */
const smallRead = 1 << 15;

/** The last bytes read of one file. */
interface Window {
  readonly file: OpenFile;
  readonly bytes: Buffer;
  start: number;
  length: number;
}

/**
 * Reads content back from scratch files and archives (kept open) and from
 * single source files (opened for the moment). Reads ahead as long as requests
 * follow each other, which they do when a sorted archive is copied.
 */
export class ContentReader {
  readonly fs: FileSystemShape;
  readonly #kept = new Map<string, Window>();

  constructor(fs: FileSystemShape) {
    this.fs = fs;
  }

  /** Opens a file that is read in many places. */
  async keep(path: string): Promise<OpenFile> {
    const kept = this.#kept.get(path);
    if (kept !== undefined) return kept.file;
    const file = await this.fs.promises.open(path, "r");
    this.adopt(path, file);
    return file;
  }

  /** Takes over an open file. */
  adopt(path: string, file: OpenFile): void {
    this.#kept.set(path, { file, bytes: Buffer.allocUnsafe(windowSize), start: 0, length: 0 });
  }

  async close(): Promise<void> {
    for (const { file } of this.#kept.values()) await file.close();
    this.#kept.clear();
  }

  /** The content of a file, in pieces that are valid until the next one is asked for. */
  async *chunks(inode: Inode): AsyncGenerator<Buffer> {
    const { content, size } = inode;
    if (content === undefined || size === 0) return;
    if (content.in === "memory") {
      yield content.bytes;
      return;
    }
    const kept = this.#kept.get(content.path);
    if (kept !== undefined) {
      yield* windowed(kept, content, size);
      return;
    }
    const file = await this.fs.promises.open(content.path, "r");
    try {
      const bytes = Buffer.allocUnsafe(Math.min(windowSize, size));
      yield* windowed({ file, bytes, start: 0, length: 0 }, content, size);
    } finally {
      await file.close();
    }
  }

  /** Whether two files have the same bytes. */
  async equal(a: Inode, b: Inode): Promise<boolean> {
    if (a.size !== b.size) return false;
    const [left, right] = [this.#whole(a), this.#whole(b)];
    try {
      for (;;) {
        const [first, second] = [await left.next(), await right.next()];
        if (first.done === true || second.done === true) return first.done === second.done;
        if (!first.value.equals(second.value)) return false;
      }
    } finally {
      // The first difference ends it early, and the files are open.
      await left.return(undefined);
      await right.return(undefined);
    }
  }

  /** Pieces whose borders depend on the size only, so that two files can be compared piece by piece. */
  async *#whole(inode: Inode): AsyncGenerator<Buffer> {
    const piece = Buffer.allocUnsafe(Math.min(inode.size, windowSize));
    let filled = 0;
    for await (const chunk of this.chunks(inode)) {
      for (let offset = 0; offset < chunk.length; ) {
        const copied = chunk.copy(piece, filled, offset);
        offset += copied;
        filled += copied;
        if (filled < piece.length) continue;
        yield piece;
        filled = 0;
      }
    }
    yield piece.subarray(0, filled);
  }
}

async function* windowed(
  window: Window,
  content: Content & { readonly in: "file" },
  size: number,
): AsyncGenerator<Buffer> {
  const end = content.offset + size;
  for (let position = content.offset; position < end; ) {
    if (position < window.start || position >= window.start + window.length) {
      const ahead = position - (window.start + window.length);
      // Headers and padding lie between one content and the next.
      const sequential = ahead >= 0 && ahead < smallRead;
      const wanted = sequential ? windowSize : Math.max(end - position, smallRead);
      const { bytesRead } = await window.file.read(window.bytes, 0, Math.min(wanted, window.bytes.length), position);
      if (bytesRead === 0) {
        const cause = new Error("the file became shorter while it was read");
        throw new ArchiveFileError({ path: content.path, cause });
      }
      window.start = position;
      window.length = bytesRead;
    }
    const offset = position - window.start;
    const part = window.bytes.subarray(offset, Math.min(window.length, offset + end - position));
    yield part;
    position += part.length;
  }
}
