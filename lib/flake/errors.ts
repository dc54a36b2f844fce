import * as Data from "effect/Data";
import type { EnvironmentRequest } from "./lock.ts";
import type { SpawnError } from "#lib/platform/processes.ts";

/** Every way in which reading, writing or resolving the lock can fail. */
export type LockError =
  | LockFileMalformed
  | LockFileUnusable
  | LockOutOfDate
  | UnknownEnvironment
  | ConflictingRequests
  | InvalidRequest
  | ResolveError;

/** Every way in which resolving closures with apt can fail. */
export type ResolveError =
  | InvalidRequest
  | InvalidMirror
  | NoMirrors
  | AptUnusable
  | AptDirectoryUnusable
  | ArchiveUnreachable
  | PackageNotFound
  | PackageNotInstallable
  | DependencyConflict
  | AptFailed;

/** The bytes of `flake.lock` are not a lock. */
export class LockFileMalformed extends Data.TaggedError("LockFileMalformed")<{
  readonly file: string;
  /** Both count from 1; the column counts UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  readonly why: string;
  readonly remedy?: string;
}> {
  override get message(): string {
    const remedy = this.remedy ?? "Restore it from version control, or delete it and run 'update' to make a new one.";
    return `${this.file}:${this.line}:${this.column}: ${this.why}. ${remedy}`;
  }
}

/** The lock file could not be read or written. */
export class LockFileUnusable extends Data.TaggedError("LockFileUnusable")<{
  readonly file: string;
  readonly action: "read" | "write";
  /** The system's error code, such as `EACCES` or `ENOSPC`. */
  readonly code: string;
}> {
  override get message(): string {
    return `cannot ${this.action} the lock file ${this.file}: ${this.code}. ${this.remedy}`;
  }

  private get remedy(): string {
    switch (this.code) {
      case "ENOSPC":
      case "EDQUOT":
        return "Free some disk space and run the command again; the old lock file is untouched.";
      case "EACCES":
      case "EPERM":
        return "Change the permissions of the file and its directory.";
      case "EROFS":
        return "The directory is read-only: commit an up-to-date lock file, or work in a writable copy.";
      case "EISDIR":
        return "A directory stands in its place: remove it.";
      default:
        return "Check the file and its directory.";
    }
  }
}

/** `--locked` was given and the lock does not answer what the flake asks for. */
export class LockOutOfDate extends Data.TaggedError("LockOutOfDate")<{
  readonly file: string;
  readonly environments: readonly { readonly name: string; readonly reason: string }[];
}> {
  override get message(): string {
    const list = this.environments.map(({ name, reason }) => `'${name}' (${reason})`).join(", ");
    return `${this.file} is out of date: ${list}. Run the same command without --locked, or 'update', and commit the lock file.`;
  }
}

/** An environment was named that the lock does not have. */
export class UnknownEnvironment extends Data.TaggedError("UnknownEnvironment")<{
  readonly environment: string;
  readonly suggestions: readonly string[];
  readonly known: readonly string[];
}> {
  override get message(): string {
    return `the lock has no environment '${this.environment}'. ${hint(this.suggestions, this.known)}`;
  }
}

/** One evaluation asked for two different environments under one name. */
export class ConflictingRequests extends Data.TaggedError("ConflictingRequests")<{
  readonly environment: string;
  readonly first: EnvironmentRequest;
  readonly second: EnvironmentRequest;
}> {
  override get message(): string {
    const first = new Set(this.first.packages);
    const second = new Set(this.second.packages);
    const onlyFirst = [...first].filter((name) => !second.has(name));
    const onlySecond = [...second].filter((name) => !first.has(name));
    const difference = [
      ...(onlyFirst.length === 0 ? [] : [`only one has ${onlyFirst.join(", ")}`]),
      ...(onlySecond.length === 0 ? [] : [`only the other has ${onlySecond.join(", ")}`]),
    ].join("; ");
    return `two different environments are called '${this.environment}'${difference === "" ? "" : `: ${difference}`}. Rename one of them.`;
  }
}

/** A request cannot be meant as it stands. */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly environment: string;
  readonly why: string;
}> {
  override get message(): string {
    return `environment '${this.environment}': ${this.why}.`;
  }
}

/** A configured mirror is no http(s) URL. */
export class InvalidMirror extends Data.TaggedError("InvalidMirror")<{
  readonly mirror: string;
  /** Where it is configured: an environment variable or a file. */
  readonly origin: string;
}> {
  override get message(): string {
    return `${this.origin}: '${this.mirror}' is not a mirror. Give the base URL of a Debian archive, such as http://mirror.example/debian.`;
  }
}

/** No mirror is known for an archive. */
export class NoMirrors extends Data.TaggedError("NoMirrors")<{ readonly archive: string }> {
  override get message(): string {
    return `no mirror of the Debian archive '${this.archive}' is known. Name one in the flake's input or in $HELIOS_DEBIAN_MIRROR.`;
  }
}

/** apt, or a program that apt needs, cannot be run on this machine. */
export class AptUnusable extends Data.TaggedError("AptUnusable")<{
  readonly program: string;
  readonly cause: SpawnError | string;
}> {
  override get message(): string {
    const why = typeof this.cause === "string" ? `: ${this.cause}` : "";
    return (
      `resolving Debian packages needs '${this.program}', which this machine does not have${why}. ` +
      `Install the package of that name ('apt' and 'gpgv' exist in most distributions), or run 'update' on a Debian or Ubuntu machine and copy flake.lock: building reads only the lock.`
    );
  }
}

/** No mirror gave a current, correctly signed index of the archive. */
export class ArchiveUnreachable extends Data.TaggedError("ArchiveUnreachable")<{
  readonly archive: string;
  readonly attempts: readonly { readonly mirror: string; readonly reason: string; readonly untrusted: boolean }[];
}> {
  override get message(): string {
    const attempts = this.attempts.map(({ mirror, reason }) => `\n  ${mirror}: ${reason}`).join("");
    const remedy = this.attempts.some(({ untrusted }) => untrusted)
      ? "A signature that does not verify means a mirror that was tampered with, or one that is not Debian's; choose another in $HELIOS_DEBIAN_MIRROR."
      : "Check the network and proxy settings, or name a mirror in $HELIOS_DEBIAN_MIRROR.";
    return `no mirror gave the index of the Debian archive '${this.archive}':${attempts}\n${remedy}`;
  }
}

/** The archive has no package of this name. */
export class PackageNotFound extends Data.TaggedError("PackageNotFound")<{
  readonly environment: string;
  readonly package: string;
  readonly suite: string;
  readonly suggestions: readonly string[];
}> {
  override get message(): string {
    return `environment '${this.environment}': Debian ${this.suite} has no package '${this.package}'. ${hint(this.suggestions, [])}`.trimEnd();
  }
}

/** The name exists, but only as something that other packages provide, or in no version of this architecture. */
export class PackageNotInstallable extends Data.TaggedError("PackageNotInstallable")<{
  readonly environment: string;
  readonly package: string;
  readonly providers: readonly string[];
}> {
  override get message(): string {
    const remedy =
      this.providers.length === 0
        ? "It is not in the components, architectures and pockets that the environment asks for."
        : `It is a virtual package: name one of its providers (${this.providers.slice(0, 10).join(", ")}).`;
    return `environment '${this.environment}': '${this.package}' cannot be installed. ${remedy}`;
  }
}

/** The temporary directory in which apt works could not be made or written. */
export class AptDirectoryUnusable extends Data.TaggedError("AptDirectoryUnusable")<{
  readonly directory: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    const reason = this.cause instanceof Error ? this.cause.message : String(this.cause);
    return `cannot write the temporary directory for apt, ${this.directory}: ${reason}. Free some space there, or name another directory in $TMPDIR.`;
  }
}

/** apt found no set of packages that fulfils all dependencies. */
export class DependencyConflict extends Data.TaggedError("DependencyConflict")<{
  readonly environment: string;
  /** apt's own account of it, one dependency a line. */
  readonly explanation: readonly string[];
  /** The stand-ins among which a reason may lie. */
  readonly excluded: readonly string[];
}> {
  override get message(): string {
    const lines = this.explanation.map((line) => `\n  ${line}`).join("");
    const standIns =
      this.excluded.length === 0 ? "" : ` What is excluded counts as installed (${this.excluded.join(", ")}).`;
    return `environment '${this.environment}': its packages cannot be installed together:${lines}\nRemove one of them, or split the environment.${standIns}`;
  }
}

/** apt ended or answered in a way that is none of the above. */
export class AptFailed extends Data.TaggedError("AptFailed")<{
  readonly command: string;
  readonly code: number | null;
  readonly output: string;
}> {
  override get message(): string {
    const status = this.code === null ? "was killed" : `ended with ${this.code}`;
    return `'${this.command}' ${status}:\n${this.output.trimEnd()}`;
  }
}

function hint(suggestions: readonly string[], known: readonly string[]): string {
  if (suggestions.length > 0) return `Did you mean ${suggestions.map((name) => `'${name}'`).join(" or ")}?`;
  if (known.length > 0) return `It has: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`;
  return "";
}
