import type { TarHeader } from "./tar-format.ts";

/** An entry of any archive: a checked relative path, its type, mode, size and where links point. */
export type ArchiveEntry = TarHeader;

/**
 * Reads an archive entry by entry. Every entry that `next` returns has passed
 * the rules of `EntryGuard`; hostile or damaged archives throw an archive error.
 */
export interface EntryReader {
  /** The next entry, or undefined after the last. Content that was not taken is skipped. */
  next(): Promise<ArchiveEntry | undefined>;
  /** The next bytes of the current file, empty at its end. Valid until the next call. */
  chunk(): Promise<Buffer>;
}

export interface EntryReaderOptions {
  /** How symbolic links are judged; see `LinkRule`. */
  readonly links?: "root" | "tree";
  /** The most bytes of content accepted. */
  readonly byteLimit?: number;
  readonly entryLimit?: number;
}
