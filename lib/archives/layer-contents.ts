import * as Effect from "effect/Effect";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { FileSource } from "./byte-source.ts";
import type { OpenFile } from "./byte-source.ts";
import { openDebianPackage } from "./debian-package.ts";
import { detectCompression, withDecompressed } from "./decompress.ts";
import type { CompressedPart } from "./decompress.ts";
import { EntryGuard } from "./entry-path.ts";
import { attempt, InvalidLayer } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { excluder } from "./exclude.ts";
import type { DebianLayer, EntriesLayer, Layer, LayerEntry, TarLayer } from "./layers.ts";
import { readManifest } from "./manifest.ts";
import type { ManifestEntry } from "./manifest.ts";
import type { Inode } from "./root-tree.ts";
import type { ScratchFile } from "./scratch.ts";
import { TarReader } from "./tar-reader.ts";

/** One entry of a layer, its content lying in some file. Hard links share their inode. */
export interface PlacedEntry {
  readonly path: string;
  readonly inode: Inode;
  /** Overrides of the layer's own name and force. */
  readonly layer?: string | undefined;
  readonly force?: boolean | undefined;
  /** What an archive says of it besides, and is lost. */
  readonly unread?: readonly string[] | undefined;
  /** What an explicit entry says of a directory, which may be there already with other values. */
  readonly stated?: Partial<Pick<Inode, "mode" | "uid" | "gid" | "xattrs">>;
}

/** Where layers are read from and their content kept. */
export interface ReadingContext {
  readonly scratch: ScratchFile;
  /** Opens a file that stays open until the content has been copied. */
  readonly open: (path: string) => Promise<OpenFile>;
  readonly byteLimit?: number | undefined;
}

/** Reads all entries of a layer. Archives are decompressed into the scratch file once, and never held in memory. */
export const readLayer = (
  layer: Layer,
  context: ReadingContext,
): Effect.Effect<readonly PlacedEntry[], ArchiveError, FileSystem | Processes> => {
  switch (layer.kind) {
    case "deb":
      return readDebian(layer, context);
    case "tar":
      return readTar(layer, context);
    case "entries":
      return Effect.flatMap(FileSystem, (fs) => attempt(layer.name, () => readEntries(fs, layer)));
  }
};

const readDebian = (layer: DebianLayer, context: ReadingContext) =>
  Effect.flatMap(openDebianPackage(layer.path), (debian) => readCompressed(layer, debian.data, context));

const readTar = (layer: TarLayer, context: ReadingContext) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    const opened = yield* attempt(layer.path, async () => {
      const file = await context.open(layer.path);
      const head = Buffer.alloc(8);
      await file.read(head, 0, head.length, 0);
      const { size } = await file.stat();
      return { file, size, compression: detectCompression(head) };
    });
    const manifest =
      layer.manifest === undefined
        ? undefined
        : yield* attempt(layer.manifest, () => readManifest(fs, layer.manifest ?? ""));
    if (opened.compression !== "none") {
      const part = { path: layer.path, start: 0, size: opened.size, compression: opened.compression };
      return yield* readCompressed(layer, part, context, manifest);
    }
    return yield* attempt(layer.path, () =>
      collect(layer, opened.file, layer.path, 0, opened.size, context.byteLimit, manifest),
    );
  });

const readCompressed = (
  layer: DebianLayer | TarLayer,
  part: CompressedPart,
  { scratch, byteLimit }: ReadingContext,
  manifest?: ReadonlyMap<string, ManifestEntry>,
) =>
  Effect.suspend(() => {
    const start = scratch.end;
    return withDecompressed(part, (bytes) => scratch.append(bytes), byteLimit).pipe(
      Effect.andThen(
        attempt(layer.path, () =>
          collect(layer, scratch.file, scratch.path, start, scratch.end - start, byteLimit, manifest),
        ),
      ),
    );
  });

/** Walks the headers of a tar that lies in a file, skipping over all content. */
async function collect(
  layer: DebianLayer | TarLayer,
  file: OpenFile,
  path: string,
  start: number,
  length: number,
  byteLimit: number | undefined,
  manifest: ReadonlyMap<string, ManifestEntry> | undefined,
): Promise<readonly PlacedEntry[]> {
  const excluded = excluder(layer.exclude ?? []);
  const reader = new TarReader(
    layer.path,
    new FileSource(file, start, length),
    byteLimit === undefined ? {} : { byteLimit },
  );
  const inodes = new Map<string, Inode>();
  const entries: PlacedEntry[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const { type, target } = entry;
    const known = manifest?.get(entry.path);
    let inode: Inode;
    if (type === "hardlink") {
      // The reader has made sure that the target is an earlier file of this archive.
      inode = inodes.get(target ?? "") as Inode;
    } else {
      inode = {
        type,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size,
        target,
        device: entry.device,
        xattrs: entry.xattrs,
        content: type === "file" ? { in: "file", path, offset: start + entry.offset } : undefined,
        sha256: known !== undefined && known.size === entry.size ? known.sha256 : undefined,
      };
    }
    if (inode.type === "file") inodes.set(entry.path, inode);
    if (!excluded(entry.path)) entries.push({ path: entry.path, inode, layer: known?.layer, unread: entry.unread });
  }
  return entries;
}

async function readEntries(fs: FileSystemShape, layer: EntriesLayer): Promise<readonly PlacedEntry[]> {
  const guard = new EntryGuard(layer.name);
  const entries: PlacedEntry[] = [];
  const inodes = new Map<string, Inode>();
  for (const entry of layer.entries) {
    const { path, type, target, force, mode, uid, gid, xattrs } = entry;
    guard.admit(path, type, target);
    const stated = {
      ...(mode === undefined ? {} : { mode }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(xattrs === undefined ? {} : { xattrs }),
    };
    // The guard has made sure that a hard link's target is an earlier file.
    const linked = type === "hardlink" ? inodes.get(target ?? "") : undefined;
    const inode = linked ?? (await entryInode(fs, layer.name, entry));
    if (inode.type === "file") inodes.set(path, inode);
    entries.push({ path, inode, force, stated });
    if (entry.type !== "directory" || entry.source === undefined) continue;
    for await (const found of walkTree(fs, entry.source)) {
      const path = `${entry.path}/${found.path}`.replace(/^\//, "");
      guard.admit(path, found.inode.type);
      const inode = { ...found.inode, uid: entry.uid ?? 0, gid: entry.gid ?? 0 };
      if (inode.type === "file") inodes.set(path, inode);
      entries.push({ path, inode, force });
    }
  }
  return entries;
}

async function entryInode(fs: FileSystemShape, layer: string, entry: LayerEntry): Promise<Inode> {
  const { type, uid = 0, gid = 0, xattrs } = entry;
  switch (type) {
    case "symlink":
      return { type, mode: 0o777, uid, gid, size: 0, target: entry.target, xattrs };
    case "hardlink":
      throw new InvalidLayer({ layer, entry: entry.path, reason: `there is no file ${entry.target ?? ""} to link to` });
    case "directory":
      return { type, mode: entry.mode ?? 0o755, uid, gid, size: 0, xattrs };
    case "file": {
      if (entry.source === undefined) {
        const bytes = Buffer.from(entry.content ?? "", "utf8");
        return {
          type,
          mode: entry.mode ?? 0o644,
          uid,
          gid,
          size: bytes.length,
          content: { in: "memory", bytes },
          xattrs,
        };
      }
      const inode = await fileInode(fs, entry.source);
      if (inode === undefined) {
        throw new InvalidLayer({
          layer,
          entry: entry.path,
          reason: `${entry.source} is not a file; for a tree say type 'directory'`,
        });
      }
      return { ...inode, mode: entry.mode ?? inode.mode, uid, gid, xattrs };
    }
  }
}

/** Follows links at the top: a store path may be reached through one. */
async function fileInode(fs: FileSystemShape, path: string): Promise<Inode | undefined> {
  const stats = await fs.promises.stat(path);
  if (!stats.isFile()) return undefined;
  const mode = (stats.mode & 0o100) === 0 ? 0o644 : 0o755;
  return { type: "file", mode, uid: 0, gid: 0, size: stats.size, content: { in: "file", path, offset: 0 } };
}

/** Everything below a directory of the store, in sorted order. Owners are root's, and only "executable" survives of modes. */
async function* walkTree(fs: FileSystemShape, top: string): AsyncGenerator<{ path: string; inode: Inode }> {
  const pending = [""];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const names = (await fs.promises.readdir(directory === "" ? top : `${top}/${directory}`)).sort(byCodeUnit);
    for (const name of names) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const physical = `${top}/${path}`;
      const stats = await fs.promises.lstat(physical);
      if (stats.isSymbolicLink()) {
        const target = await fs.promises.readlink(physical, "utf8");
        yield { path, inode: { type: "symlink", mode: 0o777, uid: 0, gid: 0, size: 0, target } };
      } else if (stats.isDirectory()) {
        pending.push(path);
        yield { path, inode: { type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 } };
      } else {
        const inode = await fileInode(fs, physical);
        if (inode !== undefined) yield { path, inode };
      }
    }
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
