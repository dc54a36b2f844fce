/**
 * One path of a root file system, said in full. This is the form in which
 * `builtin:merge-archives` takes entries, so it goes into derivations as JSON;
 * in strings a derivation or source stands for its store path.
 */
export interface Entry {
  /** Absolute: `/etc/hostname`. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** Four octal digits. By default 0644 for a file and 0755 for a directory. */
  readonly mode?: string;
  /** Numeric owner and group; 0 by default. */
  readonly uid?: number;
  readonly gid?: number;
  /** A file's text. */
  readonly content?: string;
  /** A store path instead: a file, or a tree for a directory. */
  readonly source?: string;
  /** Where a symbolic link points. */
  readonly target?: string;
  /** Replaces what another layer wrote at this path. */
  readonly force?: boolean;
}

/** Entries with one author, who is named when two layers write the same path. */
export interface EntryLayer {
  /** Unique in a root file system: `users`, `services.ssh`, `stage.files` … */
  readonly name: string;
  readonly entries: readonly Entry[];
}

/** A regular file with the given text. */
export const file = (path: string, content: string, mode = "0644"): Entry => ({ path, type: "file", content, mode });

/** An empty directory, unless other entries are in it. */
export const directory = (path: string, mode = "0755", uid = 0, gid = 0): Entry => ({
  path,
  type: "directory",
  mode,
  uid,
  gid,
});

/** A symbolic link. */
export const symlink = (path: string, target: string): Entry => ({ path, type: "symlink", target });
