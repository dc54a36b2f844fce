import * as Context from "effect/Context";
import * as Layer from "effect/Layer";
import * as nodeFs from "node:fs";

/**
 * The part of `node:fs` that the engine uses.
 *
 * Its shape is Node's own, so `node:fs` and memfs both fit without an adapter,
 * and hot loops (NAR, tar, unpacking) call it as plain promises.
 */
export interface FileSystemShape {
  readonly promises: Pick<
    typeof nodeFs.promises,
    | "access"
    | "appendFile"
    | "chmod"
    | "copyFile"
    | "link"
    | "lstat"
    | "lutimes"
    | "mkdir"
    | "mkdtemp"
    | "open"
    | "readFile"
    | "readdir"
    | "readlink"
    | "realpath"
    | "rename"
    | "rm"
    | "rmdir"
    | "stat"
    | "symlink"
    | "truncate"
    | "unlink"
    | "utimes"
    | "writeFile"
  >;
  readonly createReadStream: typeof nodeFs.createReadStream;
  readonly createWriteStream: typeof nodeFs.createWriteStream;
}

/** The file system as a service: the host's, or memfs in a test. */
export class FileSystem extends Context.Service<FileSystem, FileSystemShape>()("helios/FileSystem") {
  /** The host's file system. */
  static readonly layer: Layer.Layer<FileSystem> = Layer.succeed(FileSystem, nodeFs);
}

/** The `code` of a Node system error ("ENOENT", "ENOSPC" …), or undefined for anything else. */
export function errorCode(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/** What the file system refused at a path, with the remedy for a full disk. */
export function describeFileError(path: string, cause: unknown): string {
  const remedy = errorCode(cause) === "ENOSPC" ? ". Free some disk space and run again." : "";
  return `${path}: ${cause instanceof Error ? cause.message : String(cause)}${remedy}`;
}
