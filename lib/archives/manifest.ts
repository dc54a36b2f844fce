import { createInterface } from "node:readline";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { EntryType } from "./entry-path.ts";
import type { RootNode } from "./root-tree.ts";

/**
 * One line of the manifest beside a merged root tar: JSON lines, sorted by
 * path. Image reports and `diff` read it instead of the archive.
 */
export interface ManifestEntry {
  /** Absolute within the root: "/usr/bin/env". */
  readonly path: string;
  readonly type: EntryType;
  /** Four octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; of a hard link's file too. */
  readonly size: number;
  /** Hexadecimal; of files and hard links. */
  readonly sha256?: string | undefined;
  /** Of links; a hard link's is absolute within the root. */
  readonly target?: string | undefined;
  /** Extended attributes by name, in hexadecimal; not of hard links, which share those of their file. */
  readonly xattrs?: Readonly<Record<string, string>> | undefined;
  /** The layer that wrote it. */
  readonly layer: string;
}

/** Describes one node; `linkedTo` is the path that carries the content if this is a second name. */
export function manifestEntry(path: string, node: RootNode, sha256?: string, linkedTo?: string): ManifestEntry {
  const { inode } = node;
  return {
    path: `/${path}`,
    type: linkedTo === undefined ? inode.type : "hardlink",
    mode: inode.mode.toString(8).padStart(4, "0"),
    uid: inode.uid,
    gid: inode.gid,
    size: inode.size,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(linkedTo === undefined
      ? inode.target === undefined
        ? {}
        : { target: inode.target }
      : { target: `/${linkedTo}` }),
    ...(linkedTo === undefined && inode.xattrs !== undefined && inode.xattrs.size > 0
      ? { xattrs: Object.fromEntries([...inode.xattrs].map(([name, value]) => [name, value.toString("hex")])) }
      : {}),
    layer: node.layer,
  };
}

/** Reads a manifest, keyed by normalised path (without the leading slash). It is our own file, so only its form is trusted. */
export async function readManifest(fs: FileSystemShape, path: string): Promise<ReadonlyMap<string, ManifestEntry>> {
  const entries = new Map<string, ManifestEntry>();
  for await (const entry of manifestEntries(fs, path)) entries.set(entry.path.slice(1), entry);
  return entries;
}

/** Reads a manifest entry by entry. */
async function* manifestEntries(fs: FileSystemShape, path: string): AsyncGenerator<ManifestEntry> {
  const lines = createInterface({ input: fs.createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line !== "") yield JSON.parse(line) as ManifestEntry;
  }
}
