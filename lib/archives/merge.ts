import * as Effect from "effect/Effect";
import { createHash } from "node:crypto";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { OpenFile } from "./byte-source.ts";
import { ContentReader } from "./content-reader.ts";
import { attempt } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { readLayer } from "./layer-contents.ts";
import type { PlacedEntry } from "./layer-contents.ts";
import type { Layer } from "./layers.ts";
import { manifestEntry } from "./manifest.ts";
import { RootTree } from "./root-tree.ts";
import type { Inode } from "./root-tree.ts";
import { BufferedWriter, ScratchFile } from "./scratch.ts";
import { blockSize, formatHeader, padding } from "./tar-format.ts";

export interface MergeOptions {
  /** Lowest first. */
  readonly layers: readonly Layer[];
  /** The tar file to create. */
  readonly output: string;
  /** The manifest to create beside it. */
  readonly manifest?: string;
  /** An existing directory for decompressed content; what is made there is removed. */
  readonly scratch: string;
  /** The time of every entry, in seconds since 1970. */
  readonly mtime: number;
  /** Whether /bin, /sbin, /lib and /lib64 are names for directories in /usr. Default true. */
  readonly usrMerge?: boolean;
  /** The most that one archive may unpack to. */
  readonly byteLimit?: number;
  /** Archives decompressed at a time. Default 2. */
  readonly jobs?: number;
}

export interface MergeSummary {
  readonly entries: number;
  readonly files: number;
  /** Bytes of content. */
  readonly bytes: number;
  /** "layer: path: what": what archives say of files and is lost, such as access control lists. */
  readonly unread: readonly string[];
}

type Written = Omit<MergeSummary, "unread">;

/**
 * Merges layers into one root file system as a deterministic tar: entries
 * sorted by path, numeric owners, one time. Which bytes come out depends on
 * the layers and nothing else. Content passes through a scratch file, so
 * memory holds names but never files.
 */
export const mergeLayers = (options: MergeOptions): Effect.Effect<MergeSummary, ArchiveError, FileSystem | Processes> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    const jobs = options.jobs ?? 2;
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() => new ContentReader(fs)),
      (reader) => Effect.promise(() => reader.close()),
    );
    const lanes = yield* attempt(options.scratch, () => openLanes(fs, options.scratch, jobs, reader));
    const order = yield* attempt(options.scratch, () => largestFirst(fs, options.layers));
    const contents = new Map<Layer, readonly PlacedEntry[]>();
    yield* Effect.forEach(
      order,
      (layer) =>
        Effect.suspend(() => {
          // There are as many lanes as concurrent readers, so one is free.
          const scratch = lanes.pop() as ScratchFile;
          return readLayer(layer, { scratch, open: (path) => reader.keep(path), byteLimit: options.byteLimit }).pipe(
            Effect.tap((entries) => Effect.sync(() => contents.set(layer, entries))),
            Effect.ensuring(Effect.sync(() => lanes.push(scratch))),
          );
        }),
      { concurrency: jobs, discard: true },
    );
    const tree = yield* attempt(options.scratch, () => assemble(options, contents, reader));
    const written = yield* attempt(options.output, (signal) => write(fs, options, tree, reader, signal));
    return { ...written, unread: unreadOf(options.layers, contents) };
  }).pipe(Effect.scoped);

async function openLanes(fs: FileSystemShape, directory: string, count: number, reader: ContentReader) {
  const lanes: ScratchFile[] = [];
  for (let lane = 0; lane < count; lane++) {
    const scratch = await ScratchFile.create(fs, `${directory}/content-${lane}`);
    reader.adopt(scratch.path, scratch.file);
    // Nameless from here on: it disappears with this process, however that ends.
    await fs.promises.unlink(scratch.path);
    lanes.push(scratch);
  }
  return lanes;
}

/** A kernel takes as long to decompress as a hundred small packages, so it must not come last. */
async function largestFirst(fs: FileSystemShape, layers: readonly Layer[]): Promise<readonly Layer[]> {
  const sizes = new Map<Layer, number>();
  for (const layer of layers) {
    // A missing file is reported by the one that reads it, with the layer's name.
    const stats = layer.kind === "entries" ? undefined : await fs.promises.stat(layer.path).catch(() => undefined);
    sizes.set(layer, stats?.size ?? 0);
  }
  return [...layers].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0));
}

function unreadOf(layers: readonly Layer[], contents: ReadonlyMap<Layer, readonly PlacedEntry[]>): readonly string[] {
  return layers.flatMap((layer) =>
    (contents.get(layer) ?? []).flatMap(({ path, unread }) =>
      unread === undefined ? [] : [`${layer.name}: /${path}: ${unread.join(", ")}`],
    ),
  );
}

/** Puts the layers on top of each other, in their order whatever order they were read in. */
async function assemble(
  { layers, usrMerge = true }: MergeOptions,
  contents: ReadonlyMap<Layer, readonly PlacedEntry[]>,
  reader: ContentReader,
): Promise<RootTree> {
  const tree = new RootTree({ usrMerge });
  for (const layer of layers) {
    for (const { path, inode: own, stated, ...overrides } of contents.get(layer) ?? []) {
      const before = tree.get(tree.place(path))?.inode;
      // What an overlay does not say about a directory stays as it is.
      const restates = stated !== undefined && own.type === "directory" && before?.type === "directory";
      const inode = restates ? { ...before, ...stated } : own;
      const writer = {
        layer: overrides.layer ?? layer.name,
        force: overrides.force ?? layer.force ?? false,
        states: Object.keys(stated ?? {}).length > 0,
        sharesEqualFiles: layer.kind === "deb",
      };
      if (tree.add(path, inode, writer) !== "same-if-equal") continue;
      if (before !== undefined && (await reader.equal(before, inode))) continue;
      throw tree.conflict(path, writer.layer, "two files of equal size but different content");
    }
  }
  tree.linkAliases();
  return tree;
}

async function write(
  fs: FileSystemShape,
  options: MergeOptions,
  tree: RootTree,
  reader: ContentReader,
  signal: AbortSignal,
): Promise<Written> {
  return creating(fs, options.output, (output) => {
    const tar = new BufferedWriter(output);
    if (options.manifest === undefined) return writeEntries(options, tree, reader, tar, undefined, signal);
    return creating(fs, options.manifest, (manifest) =>
      writeEntries(options, tree, reader, tar, new BufferedWriter(manifest), signal),
    );
  });
}

/** Creates a file. Half of one must not be taken for a whole one, so after a failure it is gone again. */
async function creating<A>(fs: FileSystemShape, path: string, fill: (file: OpenFile) => Promise<A>): Promise<A> {
  const file = await fs.promises.open(path, "wx");
  try {
    return await fill(file);
  } catch (cause) {
    await fs.promises.rm(path, { force: true });
    throw cause;
  } finally {
    await file.close();
  }
}

async function writeEntries(
  options: MergeOptions,
  tree: RootTree,
  reader: ContentReader,
  tar: BufferedWriter,
  lines: BufferedWriter | undefined,
  signal: AbortSignal,
): Promise<Written> {
  /** The name under which each file's content was written; later names become hard links. */
  const written = new Map<Inode, { readonly path: string; readonly sha256: string }>();
  const summary = { entries: 0, files: 0, bytes: 0 };
  for (const [path, node] of tree.sorted()) {
    signal.throwIfAborted();
    const { inode } = node;
    const first = inode.type === "file" ? written.get(inode) : undefined;
    summary.entries++;
    const type = first === undefined ? inode.type : "hardlink";
    const size = first === undefined ? inode.size : 0;
    const target = first?.path ?? inode.target;
    await tar.write(formatHeader({ ...inode, path, type, size, target, mtime: options.mtime }));
    let sha256 = first?.sha256;
    if (inode.type === "file" && first === undefined) {
      sha256 = await copyContent(inode, tar, reader);
      written.set(inode, { path, sha256 });
      summary.files++;
      summary.bytes += inode.size;
    }
    await lines?.write(Buffer.from(`${JSON.stringify(manifestEntry(path, node, sha256, first?.path))}\n`));
  }
  await tar.write(Buffer.alloc(2 * blockSize));
  await tar.end();
  await lines?.end();
  return summary;
}

/** Copies and hashes; the hash is taken on trust only from a manifest that we wrote. */
async function copyContent(inode: Inode, tar: BufferedWriter, reader: ContentReader): Promise<string> {
  const hash = inode.sha256 === undefined ? createHash("sha256") : undefined;
  for await (const chunk of reader.chunks(inode)) {
    hash?.update(chunk);
    await tar.write(chunk);
  }
  await tar.write(zeros.subarray(0, padding(inode.size)));
  return inode.sha256 ?? hash?.digest("hex") ?? "";
}

const zeros = Buffer.alloc(blockSize);
