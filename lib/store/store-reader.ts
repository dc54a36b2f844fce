import type { RealisationKey } from "#lib/derivations/hash-modulo.ts";
import type { Source } from "#lib/derivations/source.ts";
import { sourceStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { modificationTime, readIfThere } from "./atomic-file.ts";
import { storeError } from "./errors.ts";
import { hashTree, type NarHash } from "./hash-tree.ts";
import { infoFile, type Layout, physicalPath, realisationPath } from "./layout.ts";
import { LockFiles } from "./lock-files.ts";
import type { Sink } from "./nar-writer.ts";
import { parsePathInfo, type PathInfo } from "./path-info.ts";
import { parseRealisation, type Realisation } from "./realisation.ts";
import { addRoot } from "./roots.ts";
import { selectionOf } from "./source-tree.ts";
import { Slices } from "./tree-files.ts";
import { Usage } from "./usage.ts";

/**
 * What one may ask a store without changing it, as plain promises: most runs of a command find everything built, and
 * need no more than this, so it loads nothing of Effect's fibers and services and nothing that writes. The service
 * `Store` is made of it. A path is valid if and only if its info file can be read.
 *
 * What fails is rejected as a StoreError by `sourcePath`, `readSource` and `addRoot`, else as the system's own error.
 */
export class StoreReader {
  readonly fs: FileSystemShape;
  readonly layout: Layout;
  readonly locks: LockFiles;
  readonly #usage: Usage;
  readonly #slices = new Slices(undefined);
  /** Infos of paths that are protected from collection, so they stay true. */
  readonly #known = new Map<StorePath, PathInfo>();
  /** When the infos of paths were written that were found damaged. */
  readonly #suspects = new Map<StorePath, number>();

  /** Nothing is read yet; there need not even be a store. */
  constructor(fs: FileSystemShape, layout: Layout) {
    this.fs = fs;
    this.layout = layout;
    this.locks = new LockFiles(fs, layout.locks, layout.temporary);
    this.#usage = new Usage(fs, layout.users, this.locks);
  }

  /** Where a store path, or a path below one, is on this machine. */
  physical(path: string): string {
    return physicalPath(this.layout, path);
  }

  /** What is known of a path, which stays protected from now on; undefined if it is not valid. */
  async info(path: StorePath): Promise<PathInfo | undefined> {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    await this.#usage.protect([path]);
    if (this.#isSuspect(path)) return undefined;
    const text = await this.#read(infoFile(this.layout, path));
    const info = text === undefined ? undefined : parsePathInfo(text);
    if (info === undefined || info.path !== path) return undefined;
    this.#known.set(path, info);
    return info;
  }

  /** The realisation of a key; undefined if there is none, or its path is not valid any more. */
  async realisation(key: RealisationKey): Promise<Realisation | undefined> {
    const text = await this.#read(realisationPath(this.layout, key));
    const realisation = text === undefined ? undefined : parseRealisation(text);
    if (realisation === undefined || realisation.key !== key) return undefined;
    return (await this.info(realisation.path)) === undefined ? undefined : realisation;
  }

  async #read(file: string): Promise<string | undefined> {
    const pause = this.#slices.next();
    if (pause !== undefined) await pause;
    return readIfThere(this.fs, file);
  }

  /** Keeps paths, valid or not yet, from being collected while this process runs. */
  protect(paths: Iterable<StorePath>): Promise<void> {
    return this.#usage.protect(paths);
  }

  /**
   * Takes a registered path for invalid in this process, so that it is made again here. What is known of it stays until
   * then, and for others all stays as it was.
   *
   * @param registeredMs when the info file was written: whoever mends the path writes it again
   */
  suspect(path: StorePath, registeredMs: number): void {
    this.#known.delete(path);
    this.#suspects.set(path, registeredMs);
  }

  #isSuspect(path: StorePath): boolean {
    const registeredMs = this.#suspects.get(path);
    if (registeredMs === undefined) return false;
    if (modificationTime(this.fs, infoFile(this.layout, path)) === registeredMs) return true;
    this.#suspects.delete(path);
    return false;
  }

  /** Remembers the info of a path that was just made valid. */
  remember(info: PathInfo): void {
    this.#suspects.delete(info.path);
    this.#known.set(info.path, info);
  }

  /** Forgets what was read of a path, which may have changed on the disk. */
  forget(path: StorePath): void {
    this.#known.delete(path);
  }

  /** Hashes the NAR of a source; `tee` sees it too. */
  async readSource(source: Source, signal?: AbortSignal, tee?: Sink): Promise<NarHash> {
    try {
      return await hashTree(this.fs, source.path, { selection: await selectionOf(this.fs, source), signal }, tee);
    } catch (cause) {
      throw storeError("read the source", source.path, cause);
    }
  }

  /** The path that a source has in the store, or would have. */
  async sourcePath(source: Source, signal?: AbortSignal): Promise<StorePath> {
    return sourceStorePath(source.name, (await this.readSource(source, signal)).hash);
  }

  /** Makes `link` point to the physical path and keeps that alive while the link exists. */
  async addRoot(link: string, target: StorePath): Promise<void> {
    try {
      await addRoot(this.fs, this.layout, link, target);
    } catch (cause) {
      throw storeError("make the link", link, cause);
    }
  }

  /** Gives up what was protected. */
  async close(): Promise<void> {
    await Promise.all([this.#usage.close(), this.locks.close()]);
  }
}
