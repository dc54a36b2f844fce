import * as Data from "effect/Data";
import { describeFileError } from "#lib/platform/file-errors.ts";

/** What one URL answered, or why it did not. */
export interface Attempt {
  readonly url: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  readonly reason: string;
}

/** Servers answered, and none of them has the file any more. */
export class FileGone extends Data.TaggedError("FileGone")<{
  readonly name: string;
  /** The pool path or first URL. */
  readonly path: string;
  /** Whether it is a path within mirrors, which a lock file pins, rather than URLs of a recipe. */
  readonly mirrored: boolean;
  readonly attempts: readonly Attempt[];
}> {
  override get message(): string {
    return this.mirrored
      ? `${this.name}: ${this.path} is gone from every mirror:\n${list(this.attempts)}\n` +
          `Its pin has been superseded. Run 'update' to pin what the archive has now.`
      : `${this.name}: no URL has the file:\n${list(this.attempts)}\n` +
          `Correct the URL in the recipe, or add another one that has it.`;
  }
}

/** No server gave a usable answer; the file may well be there. */
export class NetworkUnreachable extends Data.TaggedError("NetworkUnreachable")<{
  readonly name: string;
  readonly path: string;
  readonly attempts: readonly Attempt[];
}> {
  override get message(): string {
    return (
      `${this.name}: ${this.path} could not be fetched:\n${list(this.attempts)}\n` +
      `Check the network and the proxy settings (http_proxy, https_proxy, no_proxy) and run again; ` +
      `what has arrived so far is kept.`
    );
  }
}

/** A server sent other bytes than those that are pinned. */
export class HashMismatch extends Data.TaggedError("HashMismatch")<{
  readonly name: string;
  readonly url: string;
  /** "sha256:…" in hexadecimal. */
  readonly expected: string;
  /** As `expected`, or a size if that alone gave it away. */
  readonly actual: string;
}> {
  override get message(): string {
    return (
      `${this.name}: ${this.url} has other content than pinned\n` +
      `  expected ${this.expected}\n  actual   ${this.actual}\n` +
      `If the file was meant to change, update its pin; otherwise the mirror or a proxy on the way is not to be trusted.`
    );
  }
}

/** A URL that cannot be fetched from at all. */
export class InvalidUrl extends Data.TaggedError("InvalidUrl")<{
  readonly name: string;
  readonly url: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `${this.name}: cannot fetch '${this.url}': ${this.reason}`;
  }
}

/** A pool path is to be fetched, and no mirror is known. */
export class NoMirror extends Data.TaggedError("NoMirror")<{ readonly name: string; readonly path: string }> {
  override get message(): string {
    return (
      `${this.name}: no mirror is known for ${this.path}. ` +
      `Name one in the flake's inputs or in the environment variable HELIOS_DEBIAN_MIRROR.`
    );
  }
}

/** No good signature by any of the expected keys. */
export class SignatureInvalid extends Data.TaggedError("SignatureInvalid")<{
  readonly file: string;
  /** What each signature lacks. */
  readonly reason: string;
}> {
  override get message(): string {
    return (
      `${this.file}: no valid signature: ${this.reason}. ` +
      `If the publisher has a new key, add it to the keys in the tree; otherwise do not trust this file.`
    );
  }
}

/** The host has no git. */
export class GitMissing extends Data.TaggedError("GitMissing")<{ readonly name: string; readonly cause: unknown }> {
  override get message(): string {
    return `${this.name}: git cannot be run on this host. Install it, for example: apt install git`;
  }
}

/** git did not do what it was asked for; `detail` is what it printed. */
export class GitFailed extends Data.TaggedError("GitFailed")<{
  readonly name: string;
  readonly url: string;
  readonly command: string;
  readonly detail: string;
}> {
  override get message(): string {
    return `${this.name}: '${this.command}' of ${this.url} failed: ${this.detail}`;
  }
}

/** A pinned commit that the repository does not have. */
export class RevisionMissing extends Data.TaggedError("RevisionMissing")<{
  readonly name: string;
  readonly url: string;
  readonly revision: string;
  readonly reason: string;
}> {
  override get message(): string {
    return (
      `${this.name}: revision '${this.revision}' of ${this.url}: ${this.reason}. ` +
      `Pin a commit that exists there; branches that were rewritten lose theirs.`
    );
  }
}

/** Nothing says which npm registry to use. */
export class RegistryUnknown extends Data.TaggedError("RegistryUnknown")<{ readonly reason: string }> {
  override get message(): string {
    return `no npm registry is known: ${this.reason}. Set the environment variable npm_config_registry to its URL.`;
  }
}

/** A `package-lock.json` that does not pin what it should. */
export class InvalidNpmLock extends Data.TaggedError("InvalidNpmLock")<{
  readonly file: string;
  readonly entry?: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `${this.file}${this.entry === undefined ? "" : `, '${this.entry}'`}: ${this.reason}`;
  }
}

/** The disk refused what was downloaded. */
export class FetchFileError extends Data.TaggedError("FetchFileError")<{
  readonly path: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    return describeFileError(this.path, this.cause);
  }
}

/** Everything that a fetch can fail with. */
export type FetchError =
  | FileGone
  | NetworkUnreachable
  | HashMismatch
  | InvalidUrl
  | NoMirror
  | SignatureInvalid
  | GitMissing
  | GitFailed
  | RevisionMissing
  | RegistryUnknown
  | InvalidNpmLock
  | FetchFileError;

function list(attempts: readonly Attempt[]): string {
  return attempts.map(({ url, reason }) => `  ${url}: ${reason}`).join("\n");
}
