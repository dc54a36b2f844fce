import { UnsupportedArchive, UnsafeEntry, MalformedArchive } from "./errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { EntryContent } from "./entry-content.ts";
import { checkLinkTarget, EntryGuard, normaliseEntryPath } from "./entry-path.ts";
import type { EntryType, LinkRule } from "./entry-path.ts";
import type { EntryReader, EntryReaderOptions } from "./entry-reader.ts";
import { blockSize, decodeName, HeaderProblem, padding, parseHeader } from "./tar-format.ts";
import type { RawHeader, TarHeader } from "./tar-format.ts";

/** An entry as read: a checked relative path, and where its content starts in the tar stream. */
export interface TarEntry extends TarHeader {
  readonly offset: number;
  /** Names of pax records that say more about the file than is read: access control lists, labels. */
  readonly unread?: readonly string[] | undefined;
}

/** Names and pax records longer than this are an attack, not a path. */
const longRecordLimit = 1 << 20;

/**
 * Reads a tar stream entry by entry: ustar, pax records, GNU long names and
 * base-256 numbers. Every entry that `next` returns has passed the rules of
 * {@link EntryGuard}; hostile or damaged archives throw an archive error.
 *
 * `chunk` hands out the current file's content; what is not taken is skipped.
 */
export class TarReader implements EntryReader {
  readonly #archive: string;
  readonly #source: ByteSource;
  readonly #links: LinkRule;
  readonly #content: EntryContent;
  readonly #guard: EntryGuard;
  readonly #global = new Map<string, Buffer>();
  #ended = false;

  constructor(archive: string, source: ByteSource, options: EntryReaderOptions = {}) {
    this.#archive = archive;
    this.#source = source;
    this.#links = options.links ?? "root";
    this.#content = new EntryContent(archive, "tar", source, options.byteLimit);
    this.#guard = new EntryGuard(archive, options.entryLimit);
  }

  /** The next entry, or undefined after the end marker. */
  async next(): Promise<TarEntry | undefined> {
    await this.#content.skip();
    if (this.#ended) return undefined;
    let records = new Map(this.#global);
    for (;;) {
      const header = await this.#header();
      if (header === undefined) {
        this.#ended = true;
        await this.#drain();
        return undefined;
      }
      switch (header.flag) {
        case "x":
          records = new Map([...this.#global, ...this.#paxRecords(await this.#longRecord(header))]);
          break;
        case "g":
          for (const [key, value] of this.#paxRecords(await this.#longRecord(header))) this.#global.set(key, value);
          break;
        case "L":
          records.set("path", untilZero(await this.#longRecord(header)));
          break;
        case "K":
          records.set("linkpath", untilZero(await this.#longRecord(header)));
          break;
        case "V":
          // A volume's label is a comment.
          await this.#longRecord(header);
          break;
        default:
          return this.#entry(header, records);
      }
    }
  }

  /** The next bytes of the current file's content, empty at its end. Valid until the next call. */
  chunk(limit?: number): Promise<Buffer> {
    return this.#content.chunk(limit);
  }

  #entry(header: RawHeader, records: ReadonlyMap<string, Buffer>): TarEntry {
    const name = this.#text(records, "path") ?? header.name;
    const type = this.#type(header.flag, name);
    const path = normaliseEntryPath(this.#archive, name);
    if (path === "" && type !== "directory") {
      throw new UnsafeEntry({ archive: this.#archive, entry: name, reason: "the name is empty" });
    }
    const size = this.#decimal(records, "size") ?? header.size;
    const content = type === "file" ? size : 0;
    if (type === "hardlink" && size !== 0) {
      throw new UnsupportedArchive({ archive: this.#archive, feature: `a hard link with content ('${path}')` });
    }
    let target: string | undefined;
    if (type === "symlink" || type === "hardlink") {
      target = this.#text(records, "linkpath") ?? header.linkName;
      if (type === "symlink") checkLinkTarget(this.#archive, path, target, this.#links);
      else target = normaliseEntryPath(this.#archive, target);
    }
    this.#guard.admit(path, type, target);
    this.#content.begin(content, padding(content));
    return {
      path,
      type,
      mode: header.mode,
      uid: this.#decimal(records, "uid") ?? header.uid,
      gid: this.#decimal(records, "gid") ?? header.gid,
      mtime: Math.floor(Number(this.#text(records, "mtime") ?? header.mtime)) || 0,
      size: content,
      target,
      device: type === "character" || type === "block" ? { major: header.major, minor: header.minor } : undefined,
      xattrs: this.#xattrs(records),
      unread: unreadRecords(records),
      offset: this.#source.position,
    };
  }

  #type(flag: string, name: string): EntryType {
    switch (flag) {
      case "0":
      case "7":
        return "file";
      case "\0":
        // Before POSIX, a trailing slash was what made a directory.
        return name.endsWith("/") ? "directory" : "file";
      case "1":
        return "hardlink";
      case "2":
        return "symlink";
      case "3":
        return "character";
      case "4":
        return "block";
      case "5":
        return "directory";
      case "6":
        return "fifo";
      default:
        throw new UnsupportedArchive({
          archive: this.#archive,
          feature: `tar entry type ${JSON.stringify(flag)} ('${name}')`,
        });
    }
  }

  async #header(): Promise<RawHeader | undefined> {
    const block = await this.#source.read(blockSize);
    if (block.length < blockSize) {
      throw this.#malformed(block.length === 0 ? "the end marker is missing" : "a header is cut off");
    }
    return this.#guarded(() => parseHeader(block));
  }

  async #longRecord(header: RawHeader): Promise<Buffer> {
    if (header.size > longRecordLimit) throw this.#malformed(`a name or pax record of ${header.size} bytes`);
    const body = Buffer.from(await this.#source.read(header.size));
    const pad = padding(header.size);
    if (body.length < header.size || (await this.#source.skip(pad)) < pad) {
      throw this.#malformed("a long name or pax record is cut off");
    }
    return body;
  }

  #paxRecords(body: Buffer): Map<string, Buffer> {
    const records = new Map<string, Buffer>();
    for (let offset = 0; offset < body.length; ) {
      const space = body.indexOf(0x20, offset);
      const digits = space < 0 ? "" : body.toString("latin1", offset, space);
      const length = /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : 0;
      const equals = body.indexOf(0x3d, space);
      const end = offset + length - 1;
      if (length === 0 || end >= body.length || equals < 0 || equals > end || body[end] !== 0x0a) {
        throw this.#malformed("a pax record does not have the form 'length key=value'");
      }
      const key = body.toString("utf8", space + 1, equals);
      if (key.startsWith("GNU.sparse.")) {
        throw new UnsupportedArchive({ archive: this.#archive, feature: "a sparse file" });
      }
      records.set(key, body.subarray(equals + 1, end));
      offset += length;
    }
    return records;
  }

  #xattrs(records: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> | undefined {
    let found: Map<string, Buffer> | undefined;
    for (const [key, value] of records) {
      if (key.startsWith("SCHILY.xattr.")) (found ??= new Map()).set(key.slice("SCHILY.xattr.".length), value);
    }
    return found;
  }

  #text(records: ReadonlyMap<string, Buffer>, key: string): string | undefined {
    const value = records.get(key);
    // An empty value takes an earlier (global) record back.
    return value === undefined || value.length === 0 ? undefined : this.#guarded(() => decodeName(value));
  }

  #decimal(records: ReadonlyMap<string, Buffer>, key: string): number | undefined {
    const text = this.#text(records, key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) throw this.#malformed(`the pax ${key} is not a number`);
    return value;
  }

  /** Takes the blocks after the end marker, so that a decompressor before us can finish. */
  async #drain(): Promise<void> {
    while ((await this.#source.skip(1 << 20)) > 0);
  }

  #guarded<A>(parse: () => A): A {
    try {
      return parse();
    } catch (cause) {
      if (cause instanceof HeaderProblem) throw this.#malformed(cause.message);
      throw cause;
    }
  }

  #malformed(reason: string): MalformedArchive {
    return new MalformedArchive({ archive: this.#archive, format: "tar", offset: this.#source.position, reason });
  }
}

function unreadRecords(records: ReadonlyMap<string, Buffer>): readonly string[] | undefined {
  if (records.size === 0) return undefined;
  const unread = [...records.keys()].filter((key) => {
    if (key.startsWith("SCHILY.acl.") || key === "RHT.security.selinux") return true;
    // Whoever writes these writes the same as SCHILY.xattr too, unless told not to.
    const name = key.startsWith("LIBARCHIVE.xattr.") ? key.slice("LIBARCHIVE.xattr.".length) : undefined;
    return name !== undefined && !records.has(`SCHILY.xattr.${name}`);
  });
  return unread.length === 0 ? undefined : unread.sort();
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
