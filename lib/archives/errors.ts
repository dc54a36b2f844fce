import * as Data from "effect/Data";
import * as Effect from "effect/Effect";
import { describeFileError, errorCode } from "#lib/platform/file-errors.ts";
import { runLoop } from "./loop.ts";

/** The bytes are not what their format promises: truncated, wrong checksum, impossible number. */
export class MalformedArchive extends Data.TaggedError("MalformedArchive")<{
  readonly archive: string;
  readonly format: "ar" | "deb" | "tar" | "zip" | "cpio" | "git";
  /** Byte offset in the (decompressed) archive where reading stopped making sense. */
  readonly offset: number;
  readonly reason: string;
}> {
  override get message(): string {
    return `${this.archive}: not a valid ${this.format} file: ${this.reason} (at byte ${this.offset})`;
  }
}

/** An entry that would reach outside the tree, hide another entry, or cannot be named safely. */
export class UnsafeEntry extends Data.TaggedError("UnsafeEntry")<{
  readonly archive: string;
  readonly entry: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `${this.archive}: refused entry '${printable(this.entry)}': ${this.reason}`;
  }
}

/** More bytes or entries than the caller allows: a decompression bomb, or a limit set too low. */
export class ArchiveTooLarge extends Data.TaggedError("ArchiveTooLarge")<{
  readonly archive: string;
  readonly what: "bytes" | "entries";
  readonly limit: number;
}> {
  override get message(): string {
    return `${this.archive}: unpacks to more than ${this.limit} ${this.what}; refused as a decompression bomb`;
  }
}

/** A valid archive that uses a feature which this reader does not support. */
export class UnsupportedArchive extends Data.TaggedError("UnsupportedArchive")<{
  readonly archive: string;
  readonly feature: string;
}> {
  override get message(): string {
    return `${this.archive}: ${this.feature} is not supported`;
  }
}

/** Two layers write one path, and neither says that it replaces the other. */
export class LayerConflict extends Data.TaggedError("LayerConflict")<{
  readonly path: string;
  readonly first: string;
  readonly second: string;
  readonly reason: string;
}> {
  override get message(): string {
    return (
      `/${printable(this.path)} is written by both '${this.first}' and '${this.second}': ${this.reason}. ` +
      `Remove one of them, or mark the one that should win with 'force: true'.`
    );
  }
}

/** A layer description that makes no sense. */
export class InvalidLayer extends Data.TaggedError("InvalidLayer")<{
  readonly layer: string;
  /** The entry's path, where one entry is at fault. */
  readonly entry?: string;
  readonly reason: string;
}> {
  override get message(): string {
    const place = this.entry === undefined ? "" : `, entry '${printable(this.entry)}'`;
    return `layer '${this.layer}'${place}: ${this.reason}`;
  }
}

/** No program on this host can decompress the archive. */
export class DecompressorMissing extends Data.TaggedError("DecompressorMissing")<{
  readonly archive: string;
  readonly compression: string;
  readonly tried: readonly string[];
}> {
  override get message(): string {
    return (
      `${this.archive}: nothing on the PATH decompresses ${this.compression} (tried ${this.tried.join(", ")}). ` +
      `Install it, for example: apt install ${this.compression === "zstd" ? "zstd" : "xz-utils"}`
    );
  }
}

/** The decompressor itself failed; `detail` is what it printed. */
export class DecompressionFailed extends Data.TaggedError("DecompressionFailed")<{
  readonly archive: string;
  readonly command: string;
  readonly status: string;
  readonly detail: string;
}> {
  override get message(): string {
    const detail = this.detail === "" ? "" : `: ${this.detail}`;
    return `${this.archive}: '${this.command}' failed with ${this.status}${detail}`;
  }
}

/** The file system refused; `cause` is Node's own error. */
export class ArchiveFileError extends Data.TaggedError("ArchiveFileError")<{
  readonly path: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    return describeFileError(this.path, this.cause);
  }
}

/** Everything that reading, merging or unpacking archives can fail with. */
export type ArchiveError =
  | MalformedArchive
  | UnsafeEntry
  | ArchiveTooLarge
  | UnsupportedArchive
  | LayerConflict
  | InvalidLayer
  | DecompressorMissing
  | DecompressionFailed
  | ArchiveFileError;

const tags: ReadonlySet<string> = new Set<ArchiveError["_tag"]>([
  "MalformedArchive",
  "UnsafeEntry",
  "ArchiveTooLarge",
  "UnsupportedArchive",
  "LayerConflict",
  "InvalidLayer",
  "DecompressorMissing",
  "DecompressionFailed",
  "ArchiveFileError",
]);

/** Whether something thrown is one of this layer's errors. */
export function isArchiveError(cause: unknown): cause is ArchiveError {
  return typeof cause === "object" && cause !== null && "_tag" in cause && tags.has(String(cause._tag));
}

/**
 * Runs a plain asynchronous loop as an Effect. The loop may throw archive
 * errors; errors of the file system are put to `path`; anything else is a bug
 * and becomes a defect. Interruption aborts the signal and waits for the loop.
 */
export function attempt<A>(path: string, loop: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ArchiveError> {
  return runLoop(loop).pipe(
    Effect.catch((cause) => {
      if (isArchiveError(cause)) return Effect.fail(cause);
      if (errorCode(cause) !== undefined) return Effect.fail(new ArchiveFileError({ path, cause }));
      return Effect.die(cause);
    }),
  );
}

/** Hostile names may hold control characters; a terminal must not see them. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
