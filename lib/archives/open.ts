import * as Effect from "effect/Effect";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { StreamSource } from "./byte-source.ts";
import { CpioReader } from "./cpio-reader.ts";
import { detectCompression, withDecompressed } from "./decompress.ts";
import type { EntryReader, EntryReaderOptions } from "./entry-reader.ts";
import { attempt, UnsupportedArchive } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { TarReader } from "./tar-reader.ts";
import { ZipReader } from "./zip-reader.ts";

/**
 * Opens an archive, whichever it is, and hands its reader to `consume`: a zip
 * file, or a tar or cpio archive, plain or compressed by gzip, xz or zstd. The
 * format is recognised by content, never by name.
 */
export const withArchive = <A>(
  path: string,
  consume: (reader: EntryReader) => Promise<A>,
  options: EntryReaderOptions = {},
): Effect.Effect<A, ArchiveError, FileSystem | Processes> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    const { head, size } = yield* attempt(path, async () => {
      const file = await fs.promises.open(path, "r");
      try {
        const head = Buffer.alloc(8);
        await file.read(head, 0, head.length, 0);
        return { head, size: (await file.stat()).size };
      } finally {
        await file.close();
      }
    });
    const foreign = foreignFormat(head);
    if (foreign !== undefined) return yield* new UnsupportedArchive({ archive: path, feature: foreign });
    if (isZip(head)) return yield* withZip(path, consume, options);
    const part = { path, start: 0, size, compression: detectCompression(head) };
    const read = async (bytes: AsyncIterable<Uint8Array>): Promise<A> => {
      const { first, all } = await peek(bytes);
      const source = new StreamSource(all);
      return consume(isCpio(first) ? new CpioReader(path, source, options) : new TarReader(path, source, options));
    };
    return yield* withDecompressed(part, read, options.byteLimit);
  });

const withZip = <A>(path: string, consume: (reader: EntryReader) => Promise<A>, options: EntryReaderOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    const reader = yield* Effect.acquireRelease(
      attempt(path, () => ZipReader.open(fs, path, options)),
      (reader) => Effect.promise(() => reader.close()),
    );
    return yield* attempt(path, () => consume(reader));
  }).pipe(Effect.scoped);

/**
 * Formats that are known and not read, by their first bytes: reading them as tar would only call them damaged. Long enough
 * not to be the name of a file, with which a tar begins.
 */
const foreignFormats: readonly (readonly [start: string | RegExp, name: string])[] = [
  [/^BZh[1-9](?:1AY&|.rE8)/su, "bzip2 compression"],
  ["LZIP\x01", "lzip compression"],
  ["]\0\0", "lzma compression"],
  ["\x04\x22\x4d\x18", "lz4 compression"],
  ["7z\xbc\xaf\x27\x1c", "the 7z format"],
  ["Rar!\x1a\x07", "the RAR format"],
];

function foreignFormat(head: Buffer): string | undefined {
  const text = head.toString("latin1");
  const begins = (start: string | RegExp): boolean =>
    typeof start === "string" ? text.startsWith(start) : start.test(text);
  return foreignFormats.find(([start]) => begins(start))?.[1];
}

/** An entry's local header, or the end record of an empty archive. */
function isZip(head: Buffer): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));
}

function isCpio(head: Uint8Array): boolean {
  return /^07070[12]/.test(Buffer.from(head.subarray(0, 6)).toString("latin1"));
}

async function peek(bytes: AsyncIterable<Uint8Array>) {
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* all(): AsyncGenerator<Uint8Array> {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { first: first.done === true ? Buffer.alloc(0) : first.value, all: all() };
}
