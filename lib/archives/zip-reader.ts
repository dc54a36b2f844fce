import { pipeline } from "node:stream";
import type { Readable } from "node:stream";
import * as zlib from "node:zlib";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { OpenFile } from "./byte-source.ts";
import { checkLinkTarget, defaultByteLimit, EntryGuard, normaliseEntryPath } from "./entry-path.ts";
import type { LinkRule } from "./entry-path.ts";
import type { ArchiveEntry, EntryReader, EntryReaderOptions } from "./entry-reader.ts";
import { ArchiveTooLarge, MalformedArchive, UnsafeEntry, UnsupportedArchive } from "./errors.ts";
import { typeOfMode } from "./unix-mode.ts";
import { readExactly, readZipDirectory } from "./zip-directory.ts";
import type { ZipEntry } from "./zip-directory.ts";

const targetLimit = 1 << 16;

/** The content of the current file, as far as it has been read. */
interface Content {
  readonly entry: ZipEntry;
  readonly iterator: AsyncIterator<Buffer>;
  readonly stream: Readable;
  bytes: number;
  crc32: number;
}

/**
 * Reads a zip file: stored and deflated entries, Zip64, and the modes and
 * symbolic links of archives made on Unix. The central directory decides; a
 * local header that contradicts it, and entries that overlap (which is how a
 * small file claims petabytes), are refused.
 */
export class ZipReader implements EntryReader {
  readonly #archive: string;
  readonly #path: string;
  readonly #fs: FileSystemShape;
  readonly #file: OpenFile;
  readonly #fileSize: number;
  readonly #links: LinkRule;
  readonly #byteLimit: number;
  readonly #guard: EntryGuard;
  #entries: IterableIterator<ZipEntry> | undefined;
  #content: Content | undefined;

  private constructor(fs: FileSystemShape, path: string, file: OpenFile, size: number, options: EntryReaderOptions) {
    this.#fs = fs;
    this.#archive = path;
    this.#path = path;
    this.#file = file;
    this.#fileSize = size;
    this.#links = options.links ?? "tree";
    this.#byteLimit = options.byteLimit ?? defaultByteLimit;
    this.#guard = new EntryGuard(path, options.entryLimit);
  }

  /** Opens a zip file; `close` it in the end. */
  static async open(fs: FileSystemShape, path: string, options: EntryReaderOptions = {}): Promise<ZipReader> {
    const file = await fs.promises.open(path, "r");
    const { size } = await file.stat();
    return new ZipReader(fs, path, file, size, options);
  }

  async close(): Promise<void> {
    this.#content?.stream.destroy();
    await this.#file.close();
  }

  async next(): Promise<ArchiveEntry | undefined> {
    await this.#finishContent();
    this.#entries ??= (await this.#directory()).values();
    const next = this.#entries.next();
    if (next.done === true) return undefined;
    const entry = next.value;
    const type = entry.name.endsWith("/") ? "directory" : typeOfUnix(entry);
    if (type !== "file" && type !== "directory" && type !== "symlink") {
      throw new UnsupportedArchive({
        archive: this.#archive,
        feature: `a ${type ?? "strange"} entry ('${entry.name}')`,
      });
    }
    // On Windows it would be a separator, and some archives mean it as one.
    if (entry.name.includes("\\")) this.#refuse(entry.name, "the path contains a backslash");
    const path = normaliseEntryPath(this.#archive, entry.name);
    if (path === "" && type !== "directory") this.#refuse(entry.name, "the name is empty");
    const mode = entry.mode === undefined ? (type === "directory" ? 0o755 : 0o644) : entry.mode & 0o7777;
    const common = { path, mode, uid: 0, gid: 0, mtime: 0 };
    await this.#start(entry);
    if (type === "symlink") {
      const target = await this.#target(entry);
      checkLinkTarget(this.#archive, path, target, this.#links);
      this.#guard.admit(path, type, target);
      return { ...common, type, size: 0, target };
    }
    this.#guard.admit(path, type);
    return { ...common, type, size: type === "file" ? entry.size : 0 };
  }

  async chunk(): Promise<Buffer> {
    const content = this.#content;
    if (content === undefined) return Buffer.alloc(0);
    const { entry } = content;
    let next: IteratorResult<Buffer>;
    try {
      next = await content.iterator.next();
    } catch (cause) {
      if (errorCode(cause)?.startsWith("Z_") !== true) throw cause;
      throw this.#malformed(entry, "its compressed content is damaged");
    }
    if (next.done === true) {
      this.#content = undefined;
      if (content.bytes !== entry.size) throw this.#malformed(entry, "its content is shorter than announced");
      if (content.crc32 !== entry.crc32) throw this.#malformed(entry, "its content has the wrong checksum");
      return Buffer.alloc(0);
    }
    content.bytes += next.value.length;
    if (content.bytes > entry.size) throw this.#malformed(entry, "its content is longer than announced");
    content.crc32 = zlib.crc32(next.value, content.crc32);
    return next.value;
  }

  async #directory(): Promise<readonly ZipEntry[]> {
    const entries = await readZipDirectory(this.#archive, this.#file, this.#fileSize);
    let total = 0;
    for (const { size } of entries) total += size;
    if (total > this.#byteLimit) {
      throw new ArchiveTooLarge({ archive: this.#archive, what: "bytes", limit: this.#byteLimit });
    }
    let end = 0;
    for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
      if (entry.offset < end) throw this.#malformed(entry, "it overlaps another entry");
      end = entry.offset + localHeaderSize + Buffer.byteLength(entry.name) + entry.compressedSize;
    }
    return entries;
  }

  async #start(entry: ZipEntry): Promise<void> {
    const header = await readExactly(this.#archive, this.#file, entry.offset, localHeaderSize);
    if (header.readUInt32LE(0) !== 0x04034b50) throw this.#malformed(entry, "its local header is missing");
    const nameLength = header.readUInt16LE(26);
    const name = await readExactly(this.#archive, this.#file, entry.offset + localHeaderSize, nameLength);
    if (name.toString("utf8") !== entry.name) this.#refuse(entry.name, "the local header has another name");
    const start = entry.offset + localHeaderSize + nameLength + header.readUInt16LE(28);
    if (start + entry.compressedSize > this.#fileSize) throw this.#malformed(entry, "its content is cut off");
    if (entry.compressedSize === 0) {
      if (entry.size !== 0 || entry.crc32 !== 0) throw this.#malformed(entry, "its content is missing");
      return;
    }
    const raw = this.#fs.createReadStream(this.#path, { start, end: start + entry.compressedSize - 1 });
    let stream: Readable = raw;
    if (entry.method === "deflated") {
      // Errors reach whoever reads the result.
      stream = pipeline(raw, zlib.createInflateRaw(), () => {});
    }
    this.#content = { entry, stream, iterator: stream[Symbol.asyncIterator](), bytes: 0, crc32: 0 };
  }

  async #target(entry: ZipEntry): Promise<string> {
    if (entry.size > targetLimit) throw this.#malformed(entry, `a link's target of ${entry.size} bytes`);
    const parts: Buffer[] = [];
    for (let part = await this.chunk(); part.length > 0; part = await this.chunk()) parts.push(part);
    return Buffer.concat(parts).toString("utf8");
  }

  /** Reads what nobody wanted, so that its checksum is checked too. */
  async #finishContent(): Promise<void> {
    while ((await this.chunk()).length > 0);
  }

  #refuse(entry: string, reason: string): never {
    throw new UnsafeEntry({ archive: this.#archive, entry, reason });
  }

  #malformed(entry: ZipEntry, reason: string): MalformedArchive {
    return new MalformedArchive({
      archive: this.#archive,
      format: "zip",
      offset: entry.offset,
      reason: `'${entry.name}': ${reason}`,
    });
  }
}

const localHeaderSize = 30;

/** Archives that were not made on Unix hold files and directories only. */
function typeOfUnix({ mode }: ZipEntry): ReturnType<typeof typeOfMode> {
  return mode === undefined || (mode & 0o170000) === 0 ? "file" : typeOfMode(mode);
}
