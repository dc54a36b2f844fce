import type { ByteSource } from "./byte-source.ts";
import { EntryContent } from "./entry-content.ts";
import { checkLinkTarget, EntryGuard, normaliseEntryPath } from "./entry-path.ts";
import type { LinkRule } from "./entry-path.ts";
import type { ArchiveEntry, EntryReader, EntryReaderOptions } from "./entry-reader.ts";
import { MalformedArchive, UnsafeEntry, UnsupportedArchive } from "./errors.ts";
import { decodeName, HeaderProblem } from "./tar-format.ts";
import { typeOfMode } from "./unix-mode.ts";

const headerSize = 110;
const trailer = "TRAILER!!!";
const nameLimit = 1 << 16;

/** The fields of one "newc" header, in their order after the magic number. */
interface CpioHeader {
  readonly inode: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly mtime: number;
  readonly size: number;
  readonly device: { readonly major: number; readonly minor: number };
  readonly name: string;
}

/** Names of one file that came before its content, which cpio gives to the last. */
interface Waiting {
  readonly header: CpioHeader;
  readonly paths: string[];
}

/**
 * Reads the "newc" cpio format, which initial RAM disks are made of (the
 * kernel's Documentation/driver-api/early-userspace/buffer-format). Reads one
 * archive; what follows its trailer is ignored.
 */
export class CpioReader implements EntryReader {
  readonly #archive: string;
  readonly #source: ByteSource;
  readonly #links: LinkRule;
  readonly #content: EntryContent;
  readonly #guard: EntryGuard;
  readonly #waiting = new Map<string, Waiting>();
  readonly #ready: ArchiveEntry[] = [];
  #ended = false;

  constructor(archive: string, source: ByteSource, options: EntryReaderOptions = {}) {
    this.#archive = archive;
    this.#source = source;
    this.#links = options.links ?? "root";
    this.#content = new EntryContent(archive, "cpio", source, options.byteLimit);
    this.#guard = new EntryGuard(archive, options.entryLimit);
  }

  async next(): Promise<ArchiveEntry | undefined> {
    await this.#content.skip();
    for (;;) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      if (this.#ended) return undefined;
      const header = await this.#header();
      if (header.name === trailer) {
        this.#ended = true;
        // Files whose names all came without content are empty.
        for (const { header, paths } of this.#waiting.values()) this.#queueLinked(header, paths);
        while ((await this.#source.skip(1 << 20)) > 0);
      } else {
        const entry = await this.#entry(header);
        if (entry !== undefined) return entry;
      }
    }
  }

  chunk(): Promise<Buffer> {
    return this.#content.chunk();
  }

  async #entry(header: CpioHeader): Promise<ArchiveEntry | undefined> {
    const { name, mode, size } = header;
    const type = typeOfMode(mode);
    if (type === undefined) {
      throw new UnsupportedArchive({ archive: this.#archive, feature: `cpio mode ${mode.toString(8)} ('${name}')` });
    }
    const path = normaliseEntryPath(this.#archive, name);
    if (type === "file") {
      if (header.links > 1 && size === 0) {
        const waiting = this.#waiting.get(header.inode) ?? { header, paths: [] };
        waiting.paths.push(path);
        this.#waiting.set(header.inode, waiting);
        return undefined;
      }
      this.#content.begin(size, padding(size));
      const earlier = this.#waiting.get(header.inode)?.paths ?? [];
      this.#waiting.delete(header.inode);
      this.#queueLinked(header, [path, ...earlier]);
      return this.#ready.shift();
    }
    let target: string | undefined;
    if (type === "symlink") {
      target = await this.#symlinkTarget(size);
      checkLinkTarget(this.#archive, path, target, this.#links);
    } else if (size !== 0) throw this.#malformed(`'${name}' is no file and has content`);
    this.#guard.admit(path, type, target);
    const device = type === "character" || type === "block" ? header.device : undefined;
    return { ...common(header), path, type, size: 0, target, device };
  }

  /** The first path becomes the file, the others hard links to it. */
  #queueLinked(header: CpioHeader, [first = "", ...others]: readonly string[]): void {
    if (first === "")
      throw new UnsafeEntry({ archive: this.#archive, entry: header.name, reason: "the name is empty" });
    this.#guard.admit(first, "file");
    this.#ready.push({ ...common(header), path: first, type: "file", size: header.size });
    for (const path of others) {
      this.#guard.admit(path, "hardlink", first);
      this.#ready.push({ ...common(header), path, type: "hardlink", size: 0, target: first });
    }
  }

  async #symlinkTarget(size: number): Promise<string> {
    if (size > nameLimit) throw this.#malformed(`a link's target of ${size} bytes`);
    const bytes = Buffer.from(await this.#source.read(size));
    const pad = padding(size);
    if (bytes.length < size || (await this.#source.skip(pad)) < pad)
      throw this.#malformed("a link's target is cut off");
    return this.#name(bytes);
  }

  async #header(): Promise<CpioHeader> {
    const block = (await this.#source.read(headerSize)).toString("latin1");
    if (block.length < headerSize) {
      throw this.#malformed(block.length === 0 ? "the trailer is missing" : "a header is cut off");
    }
    const magic = block.slice(0, 6);
    if (magic !== "070701" && magic !== "070702") throw this.#malformed("the magic number of a header is missing");
    const fields = Array.from({ length: 13 }, (_, index) => block.slice(6 + index * 8, 14 + index * 8));
    const wrong = fields.find((field) => !/^[0-9a-fA-F]{8}$/.test(field));
    if (wrong !== undefined) throw this.#malformed("a header's field is not a hexadecimal number");
    const [, mode, uid, gid, links, mtime, size, , , major, minor, nameSize] = fields.map((field) =>
      Number.parseInt(field, 16),
    );
    const length = nameSize ?? 0;
    if (length < 1 || length > nameLimit) throw this.#malformed(`a name of ${length} bytes`);
    const bytes = Buffer.from(await this.#source.read(length));
    const pad = padding(headerSize + length);
    if (bytes.length < length || (await this.#source.skip(pad)) < pad) throw this.#malformed("a name is cut off");
    if (bytes[length - 1] !== 0) throw this.#malformed("a name does not end with a zero byte");
    return {
      // An inode number means something only together with its device.
      inode: `${fields[0]}:${fields[7]}:${fields[8]}`,
      mode: mode ?? 0,
      uid: uid ?? 0,
      gid: gid ?? 0,
      links: links ?? 1,
      mtime: mtime ?? 0,
      size: size ?? 0,
      device: { major: major ?? 0, minor: minor ?? 0 },
      name: this.#name(bytes.subarray(0, length - 1)),
    };
  }

  #name(bytes: Buffer): string {
    try {
      return decodeName(bytes);
    } catch (cause) {
      if (cause instanceof HeaderProblem) throw this.#malformed(cause.message);
      throw cause;
    }
  }

  #malformed(reason: string): MalformedArchive {
    return new MalformedArchive({ archive: this.#archive, format: "cpio", offset: this.#source.position, reason });
  }
}

function common({ mode, uid, gid, mtime }: CpioHeader): Pick<ArchiveEntry, "mode" | "uid" | "gid" | "mtime"> {
  return { mode: mode & 0o7777, uid, gid, mtime };
}

/** Headers with their names, and contents, end at a multiple of four. */
function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}
