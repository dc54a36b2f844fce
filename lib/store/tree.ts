import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { NarVisitor } from "./nar-reader.ts";
import type { TreePreparation } from "./nar-writer.ts";
import { type BytePath, bytePath, hostPath, Slices, type TreeFiles, treeFiles } from "./tree-files.ts";

/** Seconds since the epoch that every file in the store has been changed at: Nix's choice; zero upsets some tools. */
export const storeTime = 1;

/** Permissions in the store: nobody writes, and execution is for all or none. */
export const canonicalMode = { directory: 0o555, executable: 0o555, file: 0o444 } as const;

/** While work goes on in a directory. */
const openDirectory = 0o700;

/**
 * Gives each file on the way its canonical permissions and time: 0444 or 0555,
 * no setuid, one second after the epoch. It belongs to one walk of one tree.
 */
export class Canonicalisation implements TreePreparation {
  readonly #fs: FileSystemShape & TreeFiles;
  readonly #root: BytePath;
  /** Files with several names, and the names seen. */
  readonly #linked = new Map<string, { readonly count: number; readonly paths: BytePath[] }>();

  constructor(fs: FileSystemShape, root: string) {
    this.#fs = treeFiles(fs);
    this.#root = bytePath(root);
  }

  enter(path: BytePath): void {
    const { mode } = this.#fs.lstatSync(hostPath(path));
    if ((mode & openDirectory) !== openDirectory) this.#fs.chmodSync(hostPath(path), (mode & 0o777) | openDirectory);
  }

  leave(path: BytePath): void {
    // A directory that cannot be written cannot be renamed either, so the root is closed where it ends up (`seal`).
    if (path === this.#root) return;
    this.#fs.chmodSync(hostPath(path), canonicalMode.directory);
    this.#fs.lutimesSync(hostPath(path), storeTime, storeTime);
  }

  file(path: BytePath, descriptor: number, stats: Stats): void {
    const mode = (stats.mode & 0o100) === 0 ? canonicalMode.file : canonicalMode.executable;
    if ((stats.mode & 0o7777) !== mode) this.#fs.fchmodSync(descriptor, mode);
    if (stats.mtimeMs !== storeTime * 1000) this.#fs.futimesSync(descriptor, storeTime, storeTime);
    if (stats.nlink > 1) {
      const key = `${stats.dev}:${stats.ino}`;
      const known = this.#linked.get(key) ?? { count: stats.nlink, paths: [] };
      known.paths.push(path);
      this.#linked.set(key, known);
    }
  }

  unreadable(path: BytePath): boolean {
    const { mode } = this.#fs.lstatSync(hostPath(path));
    this.#fs.chmodSync(hostPath(path), (mode & 0o777) | 0o400);
    return true;
  }

  symlink(path: BytePath): void {
    this.#fs.lutimesSync(hostPath(path), storeTime, storeTime);
  }

  /**
   * Copies files that have a name outside of the tree too, because whoever holds
   * that name could change the store through it. Call it after the walk.
   */
  async breakForeignLinks(): Promise<void> {
    for (const { count, paths } of this.#linked.values()) {
      if (paths.length === count) continue;
      for (const path of paths) await this.#copyInPlace(path);
    }
  }

  async #copyInPlace(path: BytePath): Promise<void> {
    const parent = path === this.#root ? undefined : path.slice(0, path.lastIndexOf("/"));
    const copy = `${path}.${randomBytes(6).toString("hex")}`;
    const { mode } = this.#fs.lstatSync(hostPath(path));
    if (parent !== undefined) this.#fs.chmodSync(hostPath(parent), openDirectory);
    await this.#fs.promises.copyFile(hostPath(path), hostPath(copy), constants.COPYFILE_EXCL);
    this.#fs.chmodSync(hostPath(copy), mode & 0o777);
    this.#fs.lutimesSync(hostPath(copy), storeTime, storeTime);
    await this.#fs.promises.rename(hostPath(copy), hostPath(path));
    if (parent !== undefined) this.leave(parent);
  }
}

/** Gives a tree's root, once it is in place, its canonical permissions and time: a directory, all others have theirs. */
export function seal(fs: FileSystemShape, path: string): void {
  const files = treeFiles(fs);
  if (!files.lstatSync(path).isDirectory()) return;
  files.chmodSync(path, canonicalMode.directory);
  files.lutimesSync(path, storeTime, storeTime);
}

/** Writes what a NAR holds as a canonical tree at `root`, which must not exist; `seal` completes it. */
export class TreeWriter implements NarVisitor {
  readonly #fs: FileSystemShape & TreeFiles;
  readonly #root: BytePath;
  readonly #slices: Slices;
  /** Modes that files are known to be made with as they are asked for. */
  readonly #exactModes = new Set<number>();
  #descriptor = -1;

  constructor(fs: FileSystemShape, root: string, signal?: AbortSignal) {
    this.#fs = treeFiles(fs);
    this.#root = bytePath(root);
    this.#slices = new Slices(signal);
  }

  enter(path: BytePath): void | Promise<void> {
    this.#fs.mkdirSync(hostPath(this.#root + path), openDirectory);
    return this.#slices.next();
  }

  leave(path: BytePath): void {
    if (path === "") return;
    const directory = hostPath(this.#root + path);
    this.#fs.chmodSync(directory, canonicalMode.directory);
    this.#fs.lutimesSync(directory, storeTime, storeTime);
  }

  file(path: BytePath, executable: boolean): void {
    const mode = executable ? canonicalMode.executable : canonicalMode.file;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#descriptor = this.#fs.openSync(hostPath(this.#root + path), flags, mode);
    if (this.#exactModes.has(mode)) return;
    // A umask or an access control list narrows what was asked for, and then does so in the whole tree.
    if ((this.#fs.fstatSync(this.#descriptor).mode & 0o7777) === mode) this.#exactModes.add(mode);
    else this.#fs.fchmodSync(this.#descriptor, mode);
  }

  data(chunk: Uint8Array): void | Promise<void> {
    for (let written = 0; written < chunk.length; ) {
      written += this.#fs.writeSync(this.#descriptor, chunk, written, chunk.length - written);
    }
    return this.#slices.next();
  }

  endFile(): void | Promise<void> {
    this.#fs.futimesSync(this.#descriptor, storeTime, storeTime);
    this.close();
    return this.#slices.next();
  }

  symlink(path: BytePath, target: BytePath): void | Promise<void> {
    const link = hostPath(this.#root + path);
    this.#fs.symlinkSync(hostPath(target), link);
    this.#fs.lutimesSync(link, storeTime, storeTime);
    return this.#slices.next();
  }

  /** Closes the file that is open when writing was broken off. */
  close(): void {
    if (this.#descriptor >= 0) this.#fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** Deletes a file or a tree, also a read-only one; nothing happens if there is none. */
export async function deleteTree(fs: FileSystemShape, path: string, signal?: AbortSignal): Promise<void> {
  const files = treeFiles(fs);
  const slices = new Slices(signal);
  const open: { readonly path: BytePath; readonly directories: BytePath[] }[] = [];
  const remove = (file: BytePath, directory: boolean): void => {
    try {
      if (directory) open.push(enter(file));
      else files.unlinkSync(hostPath(file));
    } catch (cause) {
      // Somebody else deletes the same leftovers.
      if (errorCode(cause) !== "ENOENT") throw cause;
    }
  };
  /** Removes the files of a directory and lists the directories in it. */
  const enter = (directory: BytePath): { path: BytePath; directories: BytePath[] } => {
    files.chmodSync(hostPath(directory), openDirectory);
    const directories: BytePath[] = [];
    for (const entry of files.readdirSync(hostPath(directory), { withFileTypes: true, encoding: "latin1" })) {
      const child = `${directory}/${entry.name}`;
      if (entry.isDirectory()) directories.push(child);
      else remove(child, false);
    }
    return { path: directory, directories };
  };
  const root = bytePath(path);
  try {
    remove(root, files.lstatSync(hostPath(root)).isDirectory());
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
  }
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const pause = slices.next();
    if (pause !== undefined) await pause;
    const child = top.directories.pop();
    if (child !== undefined) {
      remove(child, true);
      continue;
    }
    open.pop();
    try {
      files.rmdirSync(hostPath(top.path));
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
    }
  }
}
