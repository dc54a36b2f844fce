import * as Effect from "effect/Effect";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { StreamSource } from "./byte-source.ts";
import { ContentReader } from "./content-reader.ts";
import { openDebianPackage } from "./debian-package.ts";
import { withDecompressed } from "./decompress.ts";
import { normaliseEntryPath } from "./entry-path.ts";
import { attempt, UnsupportedArchive } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { excluder } from "./exclude.ts";
import { RootTree } from "./root-tree.ts";
import type { Inode } from "./root-tree.ts";
import { TarReader } from "./tar-reader.ts";
import type { TarEntry } from "./tar-reader.ts";
import { smallFile, TreeWriter } from "./tree-writer.ts";
import { collect } from "./unpack-tree.ts";

export interface UnpackOptions {
  /** `.deb` files, with the names that errors call them. */
  readonly packages: readonly { readonly name: string; readonly path: string }[];
  /** The directory to create. */
  readonly destination: string;
  /** An existing directory for files that two packages share, while they are compared. */
  readonly scratch: string;
  /** Patterns of what to leave out; see `excluder`. */
  readonly exclude?: readonly string[];
  /** Symbolic links to add, such as Debian's alternatives. */
  readonly links?: Readonly<Record<string, string>>;
  /** Files to add where no package ships one. */
  readonly files?: Readonly<Record<string, string>>;
  /** Directories to add. */
  readonly directories?: readonly string[];
  readonly byteLimit?: number;
  /** Packages unpacked at a time. Default 2. */
  readonly jobs?: number;
}

/**
 * Unpacks Debian packages into one tree that can serve as a root file system:
 * merged /usr, everything owned by the caller, nothing setuid, no device
 * nodes. Maintainer scripts never run.
 */
export const unpackDebianPackages = (
  options: UnpackOptions,
): Effect.Effect<void, ArchiveError, FileSystem | Processes> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    const unpacking = new Unpacking(fs, options);
    yield* attempt(options.destination, () => unpacking.begin());
    const packages = yield* attempt(options.destination, () => bySize(fs, options.packages));
    const all = Effect.forEach(
      packages,
      ({ name, path }) =>
        Effect.flatMap(openDebianPackage(path), (debian) =>
          withDecompressed(debian.data, (bytes) => unpacking.package(name, path, bytes), options.byteLimit),
        ),
      { concurrency: options.jobs ?? 2, discard: true },
    );
    yield* all.pipe(
      Effect.andThen(attempt(options.destination, () => unpacking.finish())),
      // The caller may remove the destination as soon as this has failed.
      Effect.ensuring(Effect.promise(() => unpacking.settled())),
    );
  });

const merged = ["bin", "sbin", "lib", "lib64"];

/** The state of one unpacking, shared by the packages that are read at the same time. */
class Unpacking {
  readonly #options: UnpackOptions;
  readonly #tree = new RootTree({ usrMerge: true });
  readonly #writer: TreeWriter;
  readonly #contents: ContentReader;
  readonly #excluded: (path: string) => boolean;
  readonly #claims = new Map<string, Promise<void>>();
  #shared = 0;

  constructor(fs: FileSystemShape, options: UnpackOptions) {
    this.#options = options;
    this.#writer = new TreeWriter(fs, options.destination);
    this.#contents = new ContentReader(fs);
    this.#excluded = excluder(options.exclude ?? []);
  }

  begin(): Promise<void> {
    return this.#writer.directory("");
  }

  settled(): Promise<void> {
    return this.#writer.settled();
  }

  /** Writes the entries of one data archive. */
  async package(name: string, archive: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const limit = this.#options.byteLimit;
    const reader = new TarReader(archive, new StreamSource(bytes), limit === undefined ? {} : { byteLimit: limit });
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      if (entry.path !== "" && !this.#excluded(entry.path)) await this.#entry(name, archive, entry, reader);
    }
  }

  /** Adds what no package ships, makes the links of the merged /usr, and waits for all writes. */
  async finish(): Promise<void> {
    const { links = {}, files = {}, directories = [] } = this.#options;
    for (const directory of directories) await this.#add("standard directories", directory, plainDirectory);
    for (const [path, target] of Object.entries(links)) {
      await this.#add("links", path, { type: "symlink", mode: 0o777, uid: 0, gid: 0, size: 0, target });
    }
    for (const [path, text] of Object.entries(files)) {
      const bytes = Buffer.from(text, "utf8");
      if (this.#tree.get(this.#tree.place(path)) !== undefined) continue;
      this.#tree.add(path, { type: "file", mode: 0o644, uid: 0, gid: 0, size: bytes.length }, writer("standard files"));
      await this.#writer.file(this.#tree.place(path), bytes, false);
    }
    for (const name of merged) {
      this.#tree.add(
        name,
        { type: "symlink", mode: 0o777, uid: 0, gid: 0, size: 0, target: `usr/${name}` },
        writer("merged /usr"),
      );
    }
    this.#tree.linkAliases();
    await this.#writer.end();
    for (const [path, { inode }] of this.#tree.sorted()) {
      if (inode.type === "directory") await this.#writer.directory(path);
      else if (inode.type === "symlink" && this.#isAlias(path)) await this.#writer.symlink(path, inode.target ?? "");
    }
    await this.#writer.end();
  }

  /** The links of the merged /usr come into being last, and have not been written before. */
  #isAlias(path: string): boolean {
    return this.#tree.place(path) !== path;
  }

  async #add(layer: string, name: string, inode: Inode): Promise<void> {
    const path = normaliseEntryPath(layer, name.replace(/^\/+/, ""));
    const added = this.#tree.add(path, inode, writer(layer));
    if (added !== "added") return;
    if (inode.type === "symlink") await this.#writer.symlink(this.#tree.place(path), inode.target ?? "");
  }

  async #entry(name: string, archive: string, entry: TarEntry, reader: TarReader): Promise<void> {
    const { type } = entry;
    if (type === "character" || type === "block" || type === "fifo") {
      throw new UnsupportedArchive({ archive, feature: `unpacking a ${type} node ('${entry.path}')` });
    }
    const executable = (entry.mode & 0o111) !== 0;
    if (type === "hardlink") return this.#hardlink(name, archive, entry);
    const inode: Inode = {
      type,
      mode: type === "file" && !executable ? 0o644 : 0o755,
      uid: 0,
      gid: 0,
      size: entry.size,
      target: entry.target,
    };
    const placed = this.#tree.place(entry.path);
    const content: Inode = { ...inode, content: { in: "file", path: this.#writer.physical(placed), offset: 0 } };
    const added = this.#tree.add(entry.path, content, writer(name));
    if (added === "same-if-equal") return this.#compare(name, entry, content, reader);
    if (added !== "added" || type === "directory") return;
    if (type === "symlink") return this.#writer.symlink(placed, entry.target ?? "");
    return this.#claim(placed, async () => {
      if (entry.size > smallFile) return this.#writer.stream(placed, () => reader.chunk(), executable);
      return this.#writer.file(placed, await collect(reader, entry.size), executable);
    });
  }

  /** Notes, before anything is awaited, that this path is being written; another package may ask for it at once. */
  async #claim(path: string, write: () => Promise<void>): Promise<void> {
    const written = write();
    this.#claims.set(path, written);
    await written;
    this.#claims.delete(path);
  }

  /** Waits until a file that the tree knows is complete on the disk. */
  async #complete(path: string): Promise<void> {
    await this.#claims.get(path);
    await this.#writer.written(path);
  }

  async #hardlink(name: string, archive: string, entry: TarEntry): Promise<void> {
    const target = this.#tree.place(entry.target ?? "");
    const linked = this.#tree.get(target);
    if (linked?.inode.type !== "file") {
      throw new UnsupportedArchive({ archive, feature: `a hard link to an excluded file ('${entry.path}')` });
    }
    const added = this.#tree.add(entry.path, linked.inode, writer(name));
    const placed = this.#tree.place(entry.path);
    if (added === "added") {
      await this.#claim(placed, async () => {
        await this.#complete(target);
        await this.#writer.hardlink(placed, target);
      });
    } else if (added === "same-if-equal") {
      // Both packages bring the file and the link; the file has been compared already.
      const present = this.#tree.get(placed)?.inode;
      await this.#complete(placed);
      await this.#complete(target);
      if (present === undefined || !(await this.#contents.equal(present, linked.inode))) {
        throw this.#tree.conflict(entry.path, name, "two files of equal size but different content");
      }
    }
  }

  /** Two packages ship one file, as Multi-Arch allows: its bytes must be equal. */
  async #compare(name: string, entry: TarEntry, inode: Inode, reader: TarReader): Promise<void> {
    const placed = this.#tree.place(entry.path);
    const aside = new TreeWriter(this.#contents.fs, `${this.#options.scratch}/shared-${this.#shared++}`);
    await aside.directory("");
    await aside.stream("file", () => reader.chunk(), false);
    await this.#complete(placed);
    const path = aside.physical("file");
    const equal = await this.#contents.equal(inode, { ...inode, content: { in: "file", path, offset: 0 } });
    await this.#contents.fs.promises.unlink(path);
    if (!equal) throw this.#tree.conflict(entry.path, name, "two files of equal size but different content");
  }
}

const plainDirectory: Inode = { type: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };

function writer(layer: string) {
  return { layer, force: false, states: false, sharesEqualFiles: true };
}

/** Large packages first, so that the last one to finish is a small one. */
async function bySize<A extends { readonly path: string }>(
  fs: FileSystemShape,
  files: readonly A[],
): Promise<readonly A[]> {
  const sized = await Promise.all(
    files.map(async (file) => ({ file, size: (await fs.promises.stat(file.path)).size })),
  );
  return sized.sort((a, b) => b.size - a.size).map(({ file }) => file);
}
