import { createFsFromVolume, Volume } from "memfs";
import type * as nodeFs from "node:fs";
import type { FileSystemShape } from "#lib/platform/file-system.ts";

/** A file system in memory, with these files, that does as a disk does where memfs does not. */
export function memory(files: Record<string, string> = {}): typeof nodeFs {
  const fs = createFsFromVolume(Volume.fromJSON(files, "/")) as unknown as typeof nodeFs;
  const { rename } = fs.promises;
  // memfs renames what a link points to instead of the link.
  const renameLinks = async (from: nodeFs.PathLike, to: nodeFs.PathLike): Promise<void> => {
    if (!fs.lstatSync(from).isSymbolicLink()) return rename(from, to);
    if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined) fs.unlinkSync(to);
    fs.symlinkSync(fs.readlinkSync(from), to);
    fs.unlinkSync(from);
  };
  // memfs does not let the maker of a read-only file write to it.
  const openNew: typeof nodeFs.openSync = (path, flags, mode) => {
    if (typeof mode !== "number" || (mode & 0o200) !== 0) return fs.openSync(path, flags, mode);
    const descriptor = fs.openSync(path, flags, mode | 0o200);
    fs.fchmodSync(descriptor, mode);
    return descriptor;
  };
  return Object.assign(failing(fs, { rename: renameLinks }), { openSync: openNew });
}

/** A file system with some calls replaced. */
export function failing(fs: typeof nodeFs, calls: Partial<FileSystemShape["promises"]>): typeof nodeFs {
  const promises: FileSystemShape["promises"] = Object.create(fs.promises);
  return Object.assign(Object.create(fs), { promises: Object.assign(promises, calls) });
}
