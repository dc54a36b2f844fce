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
