import { isAscii, isUtf8 } from "node:buffer";
import type { EntryType } from "./entry-path.ts";

/**
 * The layout of one 512-byte tar header: POSIX.1-1988 ustar, with GNU tar's
 * base-256 numbers on the reading side. pax(1) in POSIX.1-2017 and the chapter
 * "Basic Tar Format" of GNU tar's manual describe both.
 */
export const blockSize = 512;

/** The fields of a header as they stand there, before pax or GNU records override them. */
export interface RawHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly flag: string;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
}

/** What is wrong with a header, without its place; the reader adds that. */
export class HeaderProblem extends Error {}

/** Undefined for the block of zeros that ends an archive. */
export function parseHeader(block: Buffer): RawHeader | undefined {
  if (block[0] === 0 && isZero(block)) return undefined;
  const stored = number(block, 148, 8, "checksum");
  // Some old writers summed signed characters; a header is accepted by either sum.
  const { unsigned, signed } = checksums(block);
  if (stored !== unsigned && stored !== signed) throw new HeaderProblem("wrong header checksum");
  const posix = block.toString("latin1", 257, 263) === "ustar\0";
  const name = string(block, 0, 100);
  // GNU's own format keeps other things where ustar has the prefix.
  const prefix = posix ? string(block, 345, 155) : "";
  const flag = String.fromCharCode(block[156] ?? 0);
  const device = flag === "3" || flag === "4";
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8, "mode") & 0o7777,
    uid: number(block, 108, 8, "uid"),
    gid: number(block, 116, 8, "gid"),
    size: number(block, 124, 12, "size"),
    mtime: number(block, 136, 12, "mtime"),
    flag,
    linkName: string(block, 157, 100),
    major: device ? number(block, 329, 8, "device number") : 0,
    minor: device ? number(block, 337, 8, "device number") : 0,
  };
}

/** Decodes a name, which must be UTF-8: anything else would not survive a round trip through strings. */
export function decodeName(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString("latin1");
  if (!isUtf8(bytes)) throw new HeaderProblem("a name is not valid UTF-8");
  return bytes.toString("utf8");
}

function string(block: Buffer, offset: number, length: number): string {
  let end = block.indexOf(0, offset);
  if (end < 0 || end > offset + length) end = offset + length;
  return decodeName(block.subarray(offset, end));
}

function number(block: Buffer, offset: number, length: number, field: string): number {
  const first = block[offset] ?? 0;
  if ((first & 0x80) !== 0) return base256(block.subarray(offset, offset + length), field);
  const text = block
    .toString("latin1", offset, offset + length)
    .replace(/[\0 ].*$/s, (rest) => (/^[\0 ]+$/.test(rest) ? "" : rest))
    .trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw new HeaderProblem(`the ${field} is not an octal number`);
  return Number.parseInt(text, 8);
}

function base256(bytes: Buffer, field: string): number {
  if (bytes[0] === 0xff) {
    // Negative; only times before 1970 may be, and nothing here keeps those.
    if (field === "mtime") return 0;
    throw new HeaderProblem(`the ${field} is negative`);
  }
  let value = (bytes[0] ?? 0) & 0x7f;
  for (const byte of bytes.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw new HeaderProblem(`the ${field} is too large`);
  return value;
}

function checksums(block: Buffer): { readonly unsigned: number; readonly signed: number } {
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < blockSize; index++) {
    const byte = index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return { unsigned, signed };
}

const zeros = Buffer.alloc(blockSize);

function isZero(block: Buffer): boolean {
  return block.equals(zeros);
}

/** One entry to write. Paths are normalised; "" is the top directory. */
export interface TarHeader {
  readonly path: string;
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Bytes of content; zero unless the entry is a file. */
  readonly size: number;
  /** A symbolic link's target as it stands, or the normalised path of the file that a hard link names. */
  readonly target?: string | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  /** Extended attributes by name ("security.capability"). */
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined;
}

const flags: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/**
 * The header blocks of an entry: one ustar header, preceded by a pax record
 * where a value does not fit. Names start with "./" as dpkg's and `tar .`'s
 * do. Owners are numbers only, so no host's passwd can change their meaning.
 */
export function formatHeader(entry: TarHeader): Buffer {
  const name = `./${entry.path}${entry.type === "directory" && entry.path !== "" ? "/" : ""}`;
  const target = entry.type === "hardlink" ? `./${entry.target ?? ""}` : (entry.target ?? "");
  const records: [string, string | Buffer][] = [];
  const split = splitName(name);
  if (split === undefined) records.push(["path", name]);
  if (Buffer.byteLength(target) > 100) records.push(["linkpath", target]);
  if (entry.size > 0o77777777777) records.push(["size", String(entry.size)]);
  if (entry.uid > 0o7777777) records.push(["uid", String(entry.uid)]);
  if (entry.gid > 0o7777777) records.push(["gid", String(entry.gid)]);
  for (const [key, value] of entry.xattrs ?? []) records.push([`SCHILY.xattr.${key}`, value]);
  const header = headerBlock({
    ...entry,
    name: split?.name ?? truncate(name, 100),
    prefix: split?.prefix ?? "",
    linkName: truncate(target, 100),
    flag: flags[entry.type],
    size: entry.size > 0o77777777777 ? 0 : entry.size,
    uid: entry.uid > 0o7777777 ? 0 : entry.uid,
    gid: entry.gid > 0o7777777 ? 0 : entry.gid,
  });
  return records.length === 0 ? header : Buffer.concat([paxBlocks(entry, records), header]);
}

/** How many zero bytes follow content of this size. */
export function padding(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function paxBlocks(entry: TarHeader, records: readonly (readonly [string, string | Buffer])[]): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const header = headerBlock({
    name: "./PaxHeaders",
    prefix: "",
    linkName: "",
    flag: "x",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: entry.mtime,
    size: body.length,
  });
  return Buffer.concat([header, body, Buffer.alloc(padding(body.length))]);
}

/** "<length> <key>=<value>\n", where the length counts its own digits. */
function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let digits = 1;
  while (String(rest.length + digits).length !== digits) digits++;
  return Buffer.concat([Buffer.from(String(rest.length + digits)), rest]);
}

interface Block extends Pick<TarHeader, "mode" | "uid" | "gid" | "mtime" | "size" | "device"> {
  readonly name: string;
  readonly prefix: string;
  readonly linkName: string;
  readonly flag: string;
}

function headerBlock(fields: Block): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, offset: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset, "latin1");
  };
  block.write(fields.name, 0, 100, "utf8");
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.size, 124, 12);
  octal(fields.mtime, 136, 12);
  block.write(fields.flag, 156, "latin1");
  block.write(fields.linkName, 157, 100, "utf8");
  block.write("ustar\x0000", 257, "latin1");
  octal(fields.device?.major ?? 0, 329, 8);
  octal(fields.device?.minor ?? 0, 337, 8);
  block.write(fields.prefix, 345, 155, "utf8");
  block.fill(" ", 148, 156);
  block.write(`${checksums(block).unsigned.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Fits a long name into ustar's name and prefix, cutting at a slash; undefined if there is no such cut. */
function splitName(name: string): { readonly name: string; readonly prefix: string } | undefined {
  if (Buffer.byteLength(name) <= 100) return { name, prefix: "" };
  for (let slash = name.indexOf("/"); slash >= 0 && slash < name.length - 1; slash = name.indexOf("/", slash + 1)) {
    const prefix = name.slice(0, slash);
    const rest = name.slice(slash + 1);
    if (Buffer.byteLength(prefix) > 155) return undefined;
    if (Buffer.byteLength(rest) <= 100) return { name: rest, prefix };
  }
  return undefined;
}

/** A pax record holds the whole value; readers without pax see a shortened, still valid, text. */
function truncate(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let cut = text.slice(0, limit);
  while (Buffer.byteLength(cut) > limit) cut = cut.slice(0, -1);
  return cut;
}
