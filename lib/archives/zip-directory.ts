import type { OpenFile } from "./byte-source.ts";
import { MalformedArchive, UnsupportedArchive } from "./errors.ts";
import { decodeName, HeaderProblem } from "./tar-format.ts";

/** What a zip file's central directory says about one entry (APPNOTE.TXT 4.3.12). */
export interface ZipEntry {
  readonly name: string;
  readonly method: "stored" | "deflated";
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
  /** `st_mode`, if the archive was made on Unix. */
  readonly mode: number | undefined;
}

const endSize = 22;
const maximalComment = 0xffff;
/** A directory larger than this is an attack: it would be a million long names. */
const directoryLimit = 256 << 20;

/** Reads the central directory. The entries' data is not looked at. */
export async function readZipDirectory(
  archive: string,
  file: OpenFile,
  fileSize: number,
): Promise<readonly ZipEntry[]> {
  const end = await findEnd(archive, file, fileSize);
  if (end.size > directoryLimit || end.offset + end.size > fileSize) {
    throw malformed(archive, end.offset, "the central directory lies outside the file");
  }
  const directory = await readExactly(archive, file, end.offset, end.size);
  const entries: ZipEntry[] = [];
  let offset = 0;
  for (let index = 0; index < end.count; index++) {
    const place = end.offset + offset;
    if (offset + 46 > directory.length || directory.readUInt32LE(offset) !== 0x02014b50) {
      throw malformed(archive, place, "an entry of the central directory is missing or damaged");
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(offset + field),
    );
    const nameEnd = offset + 46 + (nameLength ?? 0);
    const extraEnd = nameEnd + (extraLength ?? 0);
    if (extraEnd > directory.length) throw malformed(archive, place, "a name is cut off");
    const record = directory.subarray(offset, nameEnd);
    entries.push(parseEntry(archive, place, record, directory.subarray(nameEnd, extraEnd)));
    offset = extraEnd + (commentLength ?? 0);
  }
  return entries;
}

function parseEntry(archive: string, place: number, record: Buffer, extra: Buffer): ZipEntry {
  const name = nameOf(archive, place, record.subarray(46));
  const unsupported = (feature: string): never => {
    throw new UnsupportedArchive({ archive, feature: `${feature} ('${name}')` });
  };
  const flags = record.readUInt16LE(8);
  if ((flags & 1) !== 0) unsupported("an encrypted entry");
  const method = record.readUInt16LE(10);
  if (method !== 0 && method !== 8) unsupported(`zip compression method ${method}`);
  if (record.readUInt16LE(34) !== 0 && record.readUInt16LE(34) !== 0xffff) unsupported("a zip file in several parts");
  const [size, compressedSize, offset] = wideFields(archive, place, extra, [
    record.readUInt32LE(24),
    record.readUInt32LE(20),
    record.readUInt32LE(42),
  ]);
  const madeOnUnix = record.readUInt8(5) === 3;
  return {
    name,
    method: method === 0 ? "stored" : "deflated",
    crc32: record.readUInt32LE(16),
    compressedSize: compressedSize ?? 0,
    size: size ?? 0,
    offset: offset ?? 0,
    mode: madeOnUnix ? record.readUInt32LE(38) >>> 16 : undefined,
  };
}

/** Fields that are all ones stand, in the same order, in the Zip64 extra field. */
function wideFields(archive: string, place: number, extra: Buffer, fields: readonly number[]): readonly number[] {
  if (!fields.includes(0xffffffff)) return fields;
  for (let offset = 0; offset + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(offset + 2);
    if (extra.readUInt16LE(offset) === 1) {
      const end = Math.min(offset + 4 + length, extra.length);
      let next = offset + 4;
      return fields.map((field) => {
        if (field !== 0xffffffff) return field;
        if (next + 8 > end) throw malformed(archive, place, "a Zip64 field is missing");
        next += 8;
        return safe(archive, place, extra.readBigUInt64LE(next - 8));
      });
    }
    offset += 4 + length;
  }
  throw malformed(archive, place, "the Zip64 fields are missing");
}

interface DirectoryPlace {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

async function findEnd(archive: string, file: OpenFile, fileSize: number): Promise<DirectoryPlace> {
  const length = Math.min(fileSize, endSize + maximalComment);
  const start = fileSize - length;
  const tail = await readExactly(archive, file, start, length);
  for (let at = length - endSize; at >= 0; at--) {
    // The comment's length must reach the very end, or a comment could pretend to be the record.
    if (tail.readUInt32LE(at) !== 0x06054b50 || at + endSize + tail.readUInt16LE(at + 20) !== length) continue;
    if (tail.readUInt16LE(at + 4) !== 0)
      throw new UnsupportedArchive({ archive, feature: "a zip file in several parts" });
    const place = {
      count: tail.readUInt16LE(at + 10),
      size: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
    };
    const wide = place.count === 0xffff || place.size === 0xffffffff || place.offset === 0xffffffff;
    return wide ? ((await findWideEnd(archive, file, start + at)) ?? place) : place;
  }
  throw malformed(archive, fileSize, "the end of the central directory is missing");
}

async function findWideEnd(archive: string, file: OpenFile, end: number): Promise<DirectoryPlace | undefined> {
  if (end < 20) return undefined;
  const locator = await readExactly(archive, file, end - 20, 20);
  if (locator.readUInt32LE(0) !== 0x07064b50) return undefined;
  const start = safe(archive, end, locator.readBigUInt64LE(8));
  const record = await readExactly(archive, file, start, 56);
  if (record.readUInt32LE(0) !== 0x06064b50) throw malformed(archive, start, "the Zip64 end record is damaged");
  return {
    count: safe(archive, start, record.readBigUInt64LE(32)),
    size: safe(archive, start, record.readBigUInt64LE(40)),
    offset: safe(archive, start, record.readBigUInt64LE(48)),
  };
}

/** Reads a fixed number of bytes, all of which must be there. */
export async function readExactly(archive: string, file: OpenFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) throw malformed(archive, position + filled, "the file is cut off");
    filled += bytesRead;
  }
  return buffer;
}

function nameOf(archive: string, place: number, bytes: Buffer): string {
  try {
    // Names without the UTF-8 flag would be in code page 437; those that are not ASCII and not UTF-8 are refused.
    return decodeName(bytes);
  } catch (cause) {
    if (cause instanceof HeaderProblem) throw malformed(archive, place, cause.message);
    throw cause;
  }
}

function safe(archive: string, place: number, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(archive, place, "a Zip64 number is too large");
  return Number(value);
}

function malformed(archive: string, offset: number, reason: string): MalformedArchive {
  return new MalformedArchive({ archive, format: "zip", offset, reason });
}
