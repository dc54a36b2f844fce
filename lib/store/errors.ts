import { TaggedError } from "#lib/platform/tagged-error.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import { formatSri, type Hash } from "#lib/derivations/hash.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";

/** Every way in which the store can fail. */
export type StoreError =
  | StoreIoError
  | UnsupportedFileError
  | SourceChangedError
  | MissingIncludeError
  | OutputTypeError
  | OutputHashError
  | SelfReferenceError
  | ForbiddenReferenceError
  | InvalidPathError
  | NarError
  | RootLinkError
  | DerivationError;

/** The operating system refused something. `operation` completes "cannot …". */
export class StoreIoError extends TaggedError("StoreIoError")<{
  readonly operation: string;
  readonly path: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    const code = errorCode(this.cause);
    const reason = this.cause instanceof Error ? this.cause.message : String(this.cause);
    return `cannot ${this.operation} '${this.path}': ${remedies[code ?? ""] ?? `${reason}.`}`;
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC:
    "the disk is full. Free some space (for example with `store gc`) and run it again; nothing half-written was kept.",
  EDQUOT: "the disk quota is used up. Free some space (for example with `store gc`) and run it again.",
  EROFS: "the file system is read-only. Make it writable, or choose another store with HELIOS_STORE.",
  EACCES: "permission denied. Check its owner and permissions; another store can be chosen with HELIOS_STORE.",
  EPERM: "the operation is not permitted. Check its owner; another store can be chosen with HELIOS_STORE.",
  ENOENT: "there is no such file or directory.",
  EEXIST: "it is there already, and is not overwritten. Move it away, or choose another name.",
  EISDIR: "it is a directory, not a file.",
  ENOTDIR: "a part of the path is not a directory.",
  EMFILE: "too many open files. Raise the limit with `ulimit -n`.",
  ENAMETOOLONG: "the path is longer than the file system allows. Choose a store with a shorter path with HELIOS_STORE.",
  EXDEV:
    "it is on another file system than the store's state. Keep nix/store and nix/var of a store on one file system.",
  EIO: "the disk reported an input/output error. Check it, then run `store verify --repair`.",
};

/** A socket, device or named pipe in a tree that should go to the store. */
export class UnsupportedFileError extends TaggedError("UnsupportedFileError")<{
  readonly path: string;
  readonly kind: string;
}> {
  override get message(): string {
    return `'${this.path}' is a ${this.kind}; the store holds only files, directories and symbolic links. Remove it, or leave it out.`;
  }
}

/** A file changed its size while it was read. */
export class SourceChangedError extends TaggedError("SourceChangedError")<{ readonly path: string }> {
  override get message(): string {
    return `'${this.path}' changed while it was read. Run it again when nothing writes there.`;
  }
}

/** An entry of a source's `include` list does not exist. */
export class MissingIncludeError extends TaggedError("MissingIncludeError")<{
  readonly source: string;
  readonly entry: string;
}> {
  override get message(): string {
    return `the source '${this.source}' includes '${this.entry}', which does not exist there.`;
  }
}

/** A flat fixed output that is not a plain file. */
export class OutputTypeError extends TaggedError("OutputTypeError")<{
  readonly output: string;
  readonly found: string;
}> {
  override get message(): string {
    return `the output '${this.output}' is ${this.found}, but its hash is that of one file that is not executable. Use mode "recursive" for anything else.`;
  }
}

/** A fixed output has not the hash that was promised. */
export class OutputHashError extends TaggedError("OutputHashError")<{
  readonly output: string;
  readonly expected: Hash;
  readonly actual: Hash;
}> {
  override get message(): string {
    return (
      `the output '${this.output}' has another hash than it should:\n` +
      `  expected: ${formatSri(this.expected)}\n` +
      `  actual:   ${formatSri(this.actual)}\n` +
      "If the new content is right, put the actual hash in its place."
    );
  }
}

/** An output mentions its own path, so it cannot be addressed by its content. */
export class SelfReferenceError extends TaggedError("SelfReferenceError")<{
  readonly output: string;
  /** Relative to the output; "" for the output itself. */
  readonly file: string;
}> {
  override get message(): string {
    const place = this.file === "" ? "" : ` in '${this.file}'`;
    return `the output '${this.output}' mentions its own store path${place}. Make the build use relative paths, or paths of the target.`;
  }
}

/** A fixed output mentions store paths, which its hash cannot vouch for. */
export class ForbiddenReferenceError extends TaggedError("ForbiddenReferenceError")<{
  readonly output: string;
  readonly references: readonly string[];
}> {
  override get message(): string {
    return `the fixed output '${this.output}' mentions store paths: ${this.references.join(", ")}. What is fetched must not depend on the store.`;
  }
}

/** A path that should be in the store is not there. */
export class InvalidPathError extends TaggedError("InvalidPathError")<{ readonly path: string }> {
  override get message(): string {
    const remedy = this.path.endsWith(".drv")
      ? "It was deleted, or is of another store: build what it came from, such as '.#name'."
      : "Build it first.";
    return `'${this.path}' is not in the store. ${remedy}`;
  }
}

/** An archive that is not a NAR, or not a canonical one. `offset` counts bytes. */
export class NarError extends TaggedError("NarError")<{ readonly offset: number; readonly problem: string }> {
  override get message(): string {
    return `the archive is damaged at byte ${this.offset}: ${this.problem}.`;
  }
}

/** A root link cannot be made where it should be. */
export class RootLinkError extends TaggedError("RootLinkError")<{
  readonly link: string;
  /** Without a full stop. */
  readonly problem: string;
}> {
  override get message(): string {
    return `cannot make the link '${this.link}': ${this.problem}. Choose another place with --out-link, or have none with --no-link.`;
  }
}

const tags: ReadonlySet<string> = new Set<StoreError["_tag"]>([
  "StoreIoError",
  "UnsupportedFileError",
  "SourceChangedError",
  "MissingIncludeError",
  "OutputTypeError",
  "OutputHashError",
  "SelfReferenceError",
  "ForbiddenReferenceError",
  "InvalidPathError",
  "NarError",
  "RootLinkError",
  "HashSyntaxError",
  "StorePathError",
  "AtermError",
  "DerivationAttributeError",
  "TextReferenceError",
  "MissingSourceError",
  "MissingInputError",
]);

/** Whether something that was thrown is an error of the store's. */
export const isStoreError = (cause: unknown): cause is StoreError =>
  typeof cause === "object" && cause !== null && "_tag" in cause && tags.has(String(cause._tag));

/** Keeps the store's own errors and wraps the operating system's. */
export function storeError(operation: string, path: string, cause: unknown): StoreError {
  if (isStoreError(cause)) return cause;
  const place =
    typeof cause === "object" && cause !== null && "path" in cause && typeof cause.path === "string"
      ? cause.path
      : path;
  return new StoreIoError({ operation, path: place, cause });
}
