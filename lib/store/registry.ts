import type { StorePath } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { exists, uniqueName, writeAtomically } from "./atomic-file.ts";
import { InvalidPathError } from "./errors.ts";
import { infoFile, type Layout, physicalPath, realisationPath, withdrawnFile } from "./layout.ts";
import { type PathInfo, printPathInfo } from "./path-info.ts";
import { printRealisation, type Realisation } from "./realisation.ts";
import type { StoreReader } from "./store-reader.ts";
import { surveyRealisations } from "./survey.ts";
import { deleteTree, seal } from "./tree.ts";
import { treeFiles } from "./tree-files.ts";

/** What is valid in a store, and how that changes. */
export class Registry {
  readonly reader: StoreReader;
  readonly fs: FileSystemShape;
  readonly layout: Layout;

  constructor(reader: StoreReader) {
    this.reader = reader;
    this.fs = reader.fs;
    this.layout = reader.layout;
  }

  /** The paths and everything that they refer to, sorted. */
  async closure(paths: Iterable<StorePath>): Promise<StorePath[]> {
    const seen = new Set(paths);
    let border = [...seen];
    while (border.length > 0) {
      await this.reader.protect(border);
      const next: StorePath[] = [];
      for (const path of border) {
        const info = await this.reader.info(path);
        if (info === undefined) throw new InvalidPathError({ path });
        for (const reference of info.references) {
          if (seen.has(reference)) continue;
          seen.add(reference);
          next.push(reference);
        }
      }
      border = next;
    }
    return [...seen].sort();
  }

  /**
   * Moves a complete tree to its place and makes it valid. The caller holds the
   * lock of the path. If it is valid already, the tree is deleted.
   */
  async commit(tree: string, info: PathInfo): Promise<PathInfo> {
    const known = await this.reader.info(info.path);
    if (known !== undefined) {
      await deleteTree(this.fs, tree);
      return known;
    }
    const place = physicalPath(this.layout, info.path);
    // Only a directory that one may write can be moved.
    const files = treeFiles(this.fs);
    if (files.lstatSync(tree).isDirectory()) files.chmodSync(tree, 0o755);
    const old = await this.#replace(tree, place);
    try {
      seal(this.fs, place);
      await this.register(info);
    } catch (cause) {
      // A full disk should get its space back; what fails here too is removed by the next attempt. But what was mended
      // is better than the nothing that its info would speak of.
      if (!(await exists(this.fs, infoFile(this.layout, info.path)))) await deleteTree(this.fs, place).catch(() => {});
      throw cause;
    } finally {
      if (old !== undefined) await deleteTree(this.fs, old).catch(() => {});
    }
    return info;
  }

  /**
   * As `commit`, for a file that is sealed already. It needs no lock: a file takes the
   * place of an equal one in one step.
   */
  async commitFile(file: string, info: PathInfo): Promise<void> {
    const old = await this.#replace(file, physicalPath(this.layout, info.path));
    await this.register(info);
    if (old !== undefined) await deleteTree(this.fs, old).catch(() => {});
  }

  /**
   * Moves a tree to its place. What stands there was left by a process that died, or it is damaged and yet in use: so
   * it is not deleted where it stands.
   *
   * @returns where the old tree is to be deleted
   */
  async #replace(tree: string, place: string): Promise<string | undefined> {
    const isDirectory = (path: string): boolean | undefined =>
      treeFiles(this.fs).lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
    const there = isDirectory(place);
    // A file takes the place of a file in one step.
    const old =
      there === undefined || (!there && isDirectory(tree) === false) ? undefined : await this.#takeAway(place);
    treeFiles(this.fs).renameSync(tree, place);
    return old;
  }

  /** Moves what stands in a place to one where it can be deleted; undefined if there is nothing. */
  async #takeAway(place: string): Promise<string | undefined> {
    const files = treeFiles(this.fs);
    const stats = files.lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const trash = `${this.layout.temporary}/${await uniqueName()}`;
    if (stats.isDirectory()) files.chmodSync(place, 0o700);
    files.renameSync(place, trash);
    return trash;
  }

  /**
   * Writes the info file of a tree that is in place. Journals keep the order of renames,
   * so the tree is there before the file that says it.
   */
  async register(info: PathInfo): Promise<void> {
    await writeAtomically(this.fs, this.layout.temporary, infoFile(this.layout, info.path), printPathInfo(info));
    this.reader.remember(info);
  }

  /**
   * Deletes what is damaged and could not be made again, and makes its path invalid. The caller holds its lock. The
   * tree goes first: whoever sees that the path is not valid may put a new one there at once.
   */
  async remove(path: StorePath): Promise<void> {
    const old = await this.#takeAway(physicalPath(this.layout, path));
    await this.withdraw(path);
    if (old !== undefined) await deleteTree(this.fs, old);
  }

  /** Makes a path invalid, but keeps what is known of it for the next repair. */
  async withdraw(path: StorePath): Promise<void> {
    this.reader.forget(path);
    try {
      await this.fs.promises.rename(infoFile(this.layout, path), withdrawnFile(this.layout, path));
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
    }
  }

  /** All realisations of valid paths. */
  async realisations(signal: AbortSignal): Promise<Realisation[]> {
    const all: Realisation[] = [];
    for await (const { realisation } of surveyRealisations(this.fs, this.layout, signal)) {
      if (realisation !== undefined && (await this.reader.info(realisation.path)) !== undefined) all.push(realisation);
    }
    return all;
  }

  async addRealisation(realisation: Realisation): Promise<void> {
    if ((await this.reader.info(realisation.path)) === undefined)
      throw new InvalidPathError({ path: realisation.path });
    const file = realisationPath(this.layout, realisation.key);
    await writeAtomically(this.fs, this.layout.temporary, file, printRealisation(realisation));
  }
}
