import { constants } from "node:fs";
import type { Dirent, Stats } from "node:fs";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { SourceChangedError, UnsupportedFileError } from "./errors.ts";
import { narTokens, padded } from "./nar-format.ts";
import { type BytePath, bytePath, hostPath, printablePath, Slices, type TreeFiles, treeFiles } from "./tree-files.ts";

/** Takes a part of a stream. The bytes are only valid until it returns, or until its promise is kept. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

/** Which entries of a directory are archived: all of them, or these and what they allow below. */
export type Selection = "all" | ReadonlyMap<BytePath, Selection>;

/** What is done with each file of the tree on the way. It gets the file's state and changes it if need be. */
export interface TreePreparation {
  /** Before a directory is read. */
  enter(path: BytePath): void;
  /** After everything in the directory. */
  leave(path: BytePath): void;
  /** With the open file. */
  file(path: BytePath, descriptor: number, stats: Stats): void;
  /** When a file cannot be opened; true to try once more. */
  unreadable(path: BytePath): boolean;
  symlink(path: BytePath): void;
}

export interface NarOptions {
  readonly selection?: Selection;
  readonly preparation?: TreePreparation;
  /** Sees each file, link and directory before its contents, with the offset in the archive. */
  readonly onEntry?: (path: BytePath, offset: number) => void;
  /** Sees the contents of files only. */
  readonly onData?: (data: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Smaller files are read in one synchronous step. */
const smallFile = 128 * 1024;
const chunkSize = 512 * 1024;
/** How much of a larger file is asked for at once: each answer comes by way of another thread, which costs. */
const largeChunk = 2 * 1024 * 1024;
/** More than the names, targets and keywords of one entry take. */
const spareSpace = 8 * 1024;

/**
 * Writes the NAR of a file, link or directory to `sink`, in bounded memory.
 *
 * @returns the size of the archive in bytes
 * @throws UnsupportedFileError, SourceChangedError, or what the file system throws
 */
export async function writeNar(
  fs: FileSystemShape,
  path: string,
  sink: Sink,
  options: NarOptions = {},
): Promise<number> {
  const writer = new NarWriter(treeFiles(fs), sink, options);
  await writer.write(bytePath(path));
  return writer.size;
}

interface Frame {
  readonly path: BytePath;
  readonly entries: ReadonlyMap<BytePath, Dirent>;
  /** Sorted. */
  readonly names: readonly BytePath[];
  readonly selection: Selection;
  next: number;
}

type Kind = "file" | "directory" | "symlink";

/** What surrounds a file's contents: at the root of an archive, and in a directory's entry. */
const rootFile = { regular: narTokens.regular, executable: narTokens.executable, close: narTokens.close };
const entryFile = {
  regular: narTokens.nodeRegular,
  executable: narTokens.nodeExecutable,
  close: narTokens.closeBoth,
};

const zeros = new Uint8Array(8);

/**
 * Most of the time of a tree of small files goes into the calls around the system calls, and, as a tree is often read
 * only once in a process, into code that is not compiled yet: hence few and plain calls for each file.
 */
class NarWriter {
  readonly #fs: FileSystemShape & TreeFiles;
  readonly #sink: Sink;
  readonly #options: NarOptions;
  readonly #slices: Slices;
  readonly #buffer = Buffer.allocUnsafe(chunkSize);
  readonly #numbers = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, chunkSize);
  /** Of large files: one is read into while the other is hashed. */
  #large: [Buffer, Buffer] | undefined;
  #used = 0;
  #flushed = 0;
  /** Directories that are open, outermost first; a tree may be deeper than the stack of calls allows. */
  readonly #frames: Frame[] = [];

  constructor(fs: FileSystemShape & TreeFiles, sink: Sink, options: NarOptions) {
    this.#fs = fs;
    this.#sink = sink;
    this.#options = options;
    this.#slices = new Slices(options.signal);
  }

  get size(): number {
    return this.#flushed + this.#used;
  }

  async write(root: BytePath): Promise<void> {
    this.#put(narTokens.magic);
    const { onEntry, selection = "all" } = this.#options;
    const kind = kindOf(this.#fs.lstatSync(hostPath(root)), root);
    onEntry?.(root, this.size);
    if (kind === "file") await this.#file(root, rootFile);
    else this.#visit(root, kind, selection);
    for (let wait = this.#walk(); wait !== undefined; wait = this.#walk()) await wait;
    await this.#flush();
  }

  /**
   * Archives what is in the open directories until something has to be waited for; undefined at the end. A promise for
   * every file would cost as much as reading it, and a loop in an async function is never compiled while it runs.
   */
  #walk(): Promise<void> | undefined {
    const { onEntry, preparation } = this.#options;
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      if (this.#used > chunkSize - smallFile - spareSpace) return this.#flush();
      const name = frame.names[frame.next++];
      const entry = name === undefined ? undefined : frame.entries.get(name);
      if (name === undefined || entry === undefined) {
        preparation?.leave(frame.path);
        this.#put(narTokens.close);
        this.#frames.pop();
        if (this.#frames.length > 0) this.#put(narTokens.close);
        continue;
      }
      const selection = frame.selection === "all" ? "all" : frame.selection.get(name);
      if (selection === undefined) continue;
      this.#put(narTokens.entry);
      this.#string(name);
      const path = `${frame.path}/${name}`;
      const kind = kindOf(entry, path);
      onEntry?.(path, this.size);
      if (kind === "file") {
        const written = this.#file(path, entryFile);
        if (written !== undefined) return written;
      } else {
        this.#put(narTokens.node);
        this.#visit(path, kind, selection);
        if (kind === "symlink") this.#put(narTokens.close);
      }
      const pause = this.#slices.next();
      if (pause !== undefined) return pause;
    }
    return undefined;
  }

  #visit(path: BytePath, kind: "directory" | "symlink", selection: Selection): void {
    if (kind === "symlink") this.#symlink(path);
    else this.#frames.push(this.#directory(path, selection));
  }

  #directory(path: BytePath, selection: Selection): Frame {
    this.#options.preparation?.enter(path);
    const entries = new Map<BytePath, Dirent>();
    for (const entry of this.#fs.readdirSync(hostPath(path), { withFileTypes: true, encoding: "latin1" })) {
      entries.set(entry.name, entry);
    }
    this.#put(narTokens.directory);
    // Without a function to compare by, which would be called a hundred thousand times.
    return { path, entries, names: [...entries.keys()].sort(), selection, next: 0 };
  }

  #symlink(path: BytePath): void {
    this.#options.preparation?.symlink(path);
    this.#put(narTokens.symlink);
    this.#string(this.#fs.readlinkSync(hostPath(path), "latin1"));
    this.#put(narTokens.close);
  }

  #file(path: BytePath, tokens: typeof rootFile): Promise<void> | undefined {
    const descriptor = this.#open(path);
    let size: number;
    try {
      const stats = this.#fs.fstatSync(descriptor);
      if ((stats.mode & constants.S_IFMT) !== constants.S_IFREG)
        throw new SourceChangedError({ path: printablePath(path) });
      this.#options.preparation?.file(path, descriptor, stats);
      ({ size } = stats);
      this.#put((stats.mode & 0o100) === 0 ? tokens.regular : tokens.executable);
      this.#length(size);
      if (size <= smallFile && this.#used + size <= chunkSize - spareSpace) {
        this.#readSmall(path, descriptor, size);
        this.#endFile(size, tokens);
        return undefined;
      }
    } finally {
      this.#fs.closeSync(descriptor);
    }
    return this.#readLarge(path, size, tokens);
  }

  #endFile(size: number, tokens: typeof rootFile): void {
    this.#buffer.set(zeros, this.#used);
    this.#used += padded(size) - size;
    this.#put(tokens.close);
  }

  #open(path: BytePath): number {
    // Neither follows a link nor waits for the other end of a pipe that took the file's place since the directory was read.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    try {
      return this.#fs.openSync(hostPath(path), flags);
    } catch (cause) {
      if (errorCode(cause) !== "EACCES" || this.#options.preparation?.unreadable(path) !== true) throw cause;
      return this.#fs.openSync(hostPath(path), flags);
    }
  }

  #readSmall(path: BytePath, descriptor: number, size: number): void {
    const start = this.#used;
    const end = start + size;
    while (this.#used < end) {
      const count = this.#fs.readSync(descriptor, this.#buffer, this.#used, end - this.#used, null);
      if (count === 0) throw new SourceChangedError({ path: printablePath(path) });
      this.#used += count;
    }
    if (this.#options.onData !== undefined) this.#options.onData(this.#buffer.subarray(start, end));
  }

  /** Reads the next chunk while the last one is hashed. */
  async #readLarge(path: BytePath, size: number, tokens: typeof rootFile): Promise<void> {
    await this.#flush();
    const handle = await this.#fs.promises.open(hostPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      this.#large ??= [Buffer.allocUnsafe(largeChunk), Buffer.allocUnsafe(largeChunk)];
      let [current, next] = this.#large;
      const read = (buffer: Buffer, rest: number): Promise<{ bytesRead: number }> =>
        handle.read(buffer, 0, Math.min(rest, largeChunk), null);
      let rest = size;
      let pending = read(current, rest);
      while (rest > 0) {
        const { bytesRead } = await pending;
        if (bytesRead === 0) throw new SourceChangedError({ path: printablePath(path) });
        this.#options.signal?.throwIfAborted();
        const chunk = current.subarray(0, bytesRead);
        rest -= bytesRead;
        [current, next] = [next, current];
        if (rest > 0) pending = read(current, rest);
        this.#options.onData?.(chunk);
        this.#flushed += bytesRead;
        const taken = this.#sink(chunk);
        if (taken !== undefined) await taken;
      }
    } finally {
      await handle.close();
    }
    this.#endFile(size, tokens);
  }

  #put(bytes: Buffer): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #length(length: number): void {
    this.#numbers.setUint32(this.#used, length, true);
    this.#numbers.setUint32(this.#used + 4, length / 2 ** 32, true);
    this.#used += 8;
  }

  #string(bytes: BytePath): void {
    this.#length(bytes.length);
    const end = this.#used + padded(bytes.length);
    // No name and no target is empty, so this ends in their own bytes or behind them.
    this.#buffer.set(zeros, end - 8);
    this.#buffer.write(bytes, this.#used, "latin1");
    this.#used = end;
  }

  async #flush(): Promise<void> {
    if (this.#used === 0) return;
    const chunk = this.#buffer.subarray(0, this.#used);
    this.#flushed += this.#used;
    this.#used = 0;
    const taken = this.#sink(chunk);
    if (taken !== undefined) await taken;
  }
}

function kindOf(entry: Dirent | Stats, path: BytePath): Kind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "symlink";
  throw new UnsupportedFileError({ path: printablePath(path), kind: specialKind(entry) });
}

function specialKind(entry: Dirent | Stats): string {
  if (entry.isSocket()) return "socket";
  if (entry.isFIFO()) return "named pipe";
  if (entry.isBlockDevice()) return "block device";
  return entry.isCharacterDevice() ? "character device" : "file of unknown kind";
}
