import { createFsFromVolume, Volume } from "memfs";
import { constants } from "node:fs";
import type * as nodeFs from "node:fs";
import type { FileSystemShape } from "#lib/platform/file-system.ts";

/** A file system in memory, with these files, that does as a disk does where memfs does not. */
export function memory(files: Record<string, string> = {}): typeof nodeFs {
  const fs = createFsFromVolume(Volume.fromJSON(files, "/")) as unknown as typeof nodeFs;
  // memfs renames what a link points to instead of the link.
  const renameSync: typeof nodeFs.renameSync = (from, to) => {
    if (!fs.lstatSync(from).isSymbolicLink()) return fs.renameSync(from, to);
    if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined) fs.unlinkSync(to);
    fs.symlinkSync(fs.readlinkSync(from), to);
    fs.unlinkSync(from);
  };
  const rename: typeof nodeFs.promises.rename = async (from, to) => renameSync(from, to);
  // memfs does not let the maker of a read-only file write to it.
  const openSync: typeof nodeFs.openSync = (path, flags, mode) => {
    if (typeof mode !== "number" || (mode & 0o200) !== 0) return fs.openSync(path, flags, mode);
    const descriptor = fs.openSync(path, flags, mode | 0o200);
    fs.fchmodSync(descriptor, mode);
    return descriptor;
  };
  return replacing(fs, { openSync, renameSync }, { rename });
}

/** A file system with some calls replaced. */
function replacing(
  fs: typeof nodeFs,
  calls: Partial<typeof nodeFs>,
  promised: Partial<FileSystemShape["promises"]>,
): typeof nodeFs {
  const promises: FileSystemShape["promises"] = Object.assign(Object.create(fs.promises), promised);
  return Object.assign(Object.create(fs), { ...calls, promises });
}

/** Calls that change a file system. */
export type ChangingCall = "open" | "rename" | "mkdir" | "link" | "lutimes";

/** A file system that refuses one call, where it would change something, with this error code. */
export function refusing(fs: typeof nodeFs, call: ChangingCall, code: string): typeof nodeFs {
  const refused = (): never => {
    throw Object.assign(new Error(`${code}: refused`), { code });
  };
  const openSync: typeof nodeFs.openSync = (path, flags, mode) => {
    const reads = flags === "r" || (typeof flags === "number" && (flags & constants.O_CREAT) === 0);
    return reads ? fs.openSync(path, flags, mode) : refused();
  };
  return replacing(
    fs,
    call === "open" ? { openSync } : { [`${call}Sync`]: refused },
    call === "open" ? {} : { [call]: async () => refused() },
  );
}
