import * as Effect from "effect/Effect";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { checkLinkTarget, EntryGuard } from "./entry-path.ts";
import type { LinkRule } from "./entry-path.ts";
import type { ArchiveEntry, EntryReader } from "./entry-reader.ts";
import { UnsafeEntry, UnsupportedArchive } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { excluder } from "./exclude.ts";
import { withArchive } from "./open.ts";
import { smallFile, TreeWriter } from "./tree-writer.ts";

export interface UnpackTreeOptions {
  readonly archive: string;
  /** The directory to create. */
  readonly destination: string;
  /** Leading directories to leave away, as source archives have one. Default 0. */
  readonly strip?: number;
  /** Patterns of what to leave out, as paths in the result; see `excluder`. */
  readonly exclude?: readonly string[];
  /** How symbolic links are judged. Default "tree". */
  readonly links?: LinkRule;
  readonly byteLimit?: number;
}

/**
 * Unpacks a source archive into a directory: files, executable or not,
 * directories, and links that stay inside. Owners, times and other modes do
 * not survive, since a store path has none.
 */
export const unpackTree = (options: UnpackTreeOptions): Effect.Effect<void, ArchiveError, FileSystem | Processes> =>
  Effect.flatMap(FileSystem, (fs) =>
    Effect.suspend(() => {
      const writer = new TreeWriter(fs, options.destination);
      return withArchive(options.archive, (reader) => unpack(writer, reader, options), {
        // Judged below, where the path within the result is known.
        links: "root",
        ...(options.byteLimit === undefined ? {} : { byteLimit: options.byteLimit }),
      }).pipe(Effect.ensuring(Effect.promise(() => writer.settled())));
    }),
  );

async function unpack(writer: TreeWriter, reader: EntryReader, options: UnpackTreeOptions): Promise<void> {
  const { archive, strip = 0 } = options;
  const excluded = excluder(options.exclude ?? []);
  // Paths that differ only in what is left away would meet in the result.
  const guard = new EntryGuard(archive);
  await writer.directory("");
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const path = stripped(archive, entry.path, strip, entry.type === "directory");
    if (path === "" || excluded(path)) continue;
    const target = entry.type === "hardlink" ? stripped(archive, entry.target ?? "", strip, false) : entry.target;
    guard.admit(path, entry.type, target);
    if (entry.type === "symlink") checkLinkTarget(archive, path, entry.target ?? "", options.links ?? "tree");
    await write(writer, reader, archive, { ...entry, path, target });
  }
  await writer.end();
}

async function write(writer: TreeWriter, reader: EntryReader, archive: string, entry: ArchiveEntry): Promise<void> {
  const { path, type, target = "" } = entry;
  const executable = (entry.mode & 0o111) !== 0;
  switch (type) {
    case "directory":
      return writer.directory(path);
    case "symlink":
      return writer.symlink(path, target);
    case "hardlink":
      await writer.written(target);
      return writer.hardlink(path, target);
    case "file":
      if (entry.size > smallFile) return writer.stream(path, () => reader.chunk(), executable);
      return writer.file(path, await collect(reader, entry.size), executable);
    default:
      throw new UnsupportedArchive({ archive, feature: `unpacking a ${type} node ('${path}')` });
  }
}

/** The path without its leading directories; "" for those directories themselves. */
function stripped(archive: string, path: string, strip: number, directory: boolean): string {
  let start = 0;
  for (let count = 0; count < strip; count++) {
    const slash = path.indexOf("/", start);
    if (slash < 0) {
      if (directory) return "";
      throw new UnsafeEntry({
        archive,
        entry: path,
        reason: `it is not within ${strip === 1 ? "a directory" : `${strip} directories`} that could be left away: 'strip' is ${strip}, and has to be smaller for this archive`,
      });
    }
    start = slash + 1;
  }
  return path.slice(start);
}

/** Takes the whole content of a small file. Readers see to it that there is as much as they announced. */
export async function collect(reader: EntryReader, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for (let part = await reader.chunk(); part.length > 0; part = await reader.chunk()) {
    parts.push(Buffer.from(part));
    length += part.length;
  }
  return Buffer.concat(parts, Math.min(length, size));
}
