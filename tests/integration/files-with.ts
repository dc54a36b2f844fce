import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Looks for texts, byte for byte, in files and in all files below directories. Holes of sparse files are read as the
 * zeros that they are; what a path does not lead to is passed over, and so are links, whose targets are their own files.
 *
 * @returns for each text the files that have it
 */
export async function filesWith(
  places: readonly string[],
  texts: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const needles = texts.map((text) => ({ text, bytes: Buffer.from(text), found: new Set<string>() }));
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  for (const place of places) {
    for (const file of await filesAt(place)) {
      let before: Buffer = Buffer.alloc(0);
      for await (const chunk of createReadStream(file, { highWaterMark: 4 << 20 })) {
        // A text may lie across two chunks.
        const bytes = Buffer.concat([before, chunk as Buffer]);
        for (const needle of needles) if (bytes.includes(needle.bytes)) needle.found.add(file);
        before = bytes.subarray(Math.max(0, bytes.length - overlap));
      }
    }
  }
  return new Map(needles.map(({ text, found }) => [text, [...found]]));
}

async function filesAt(place: string): Promise<string[]> {
  const status = await lstat(place).catch(() => undefined);
  if (status?.isFile() === true) return [place];
  if (status?.isDirectory() !== true) return [];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
