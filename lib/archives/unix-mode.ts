import type { EntryType } from "./entry-path.ts";

const types: ReadonlyMap<number, Exclude<EntryType, "hardlink">> = new Map([
  [0o010000, "fifo"],
  [0o020000, "character"],
  [0o040000, "directory"],
  [0o060000, "block"],
  [0o100000, "file"],
  [0o120000, "symlink"],
]);

/** What kind of thing the upper bits of `st_mode` say it is; undefined for sockets and nonsense. */
export function typeOfMode(mode: number): Exclude<EntryType, "hardlink"> | undefined {
  return types.get(mode & 0o170000);
}
