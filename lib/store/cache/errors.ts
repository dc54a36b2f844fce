import * as Data from "effect/Data";
import type { ArchiveError } from "#lib/archives/errors.ts";
import type { SpawnError } from "#lib/platform/processes.ts";
import type { StoreError } from "../errors.ts";

/** Every way in which a binary cache can fail. */
export type CacheError =
  | StoreError
  | ArchiveError
  | SpawnError
  | CacheFileDamaged
  | NotInCache
  | UntrustedPath
  | CacheUnreachable
  | CacheFileUnsettled
  | IncompatibleCache;

/** A file of the cache is not what it should be: damaged, or tampered with. Nothing of it was used. */
export class CacheFileDamaged extends Data.TaggedError("CacheFileDamaged")<{
  readonly cache: string;
  readonly file: string;
  readonly problem: string;
}> {
  override get message(): string {
    return `'${this.file}' in the cache ${this.cache} is damaged or was tampered with: ${this.problem}. Nothing of it was used.`;
  }
}

/** The cache does not have a path. */
export class NotInCache extends Data.TaggedError("NotInCache")<{ readonly cache: string; readonly path: string }> {
  override get message(): string {
    return `the cache ${this.cache} does not have '${this.path}'. Build it instead.`;
  }
}

/** Nobody who is trusted vouches for a path that is not addressed by its content, or for a realisation. */
export class UntrustedPath extends Data.TaggedError("UntrustedPath")<{
  readonly cache: string;
  readonly path: string;
  readonly signers: readonly string[];
  /** A trusted key of which there is a signature, but of something else. */
  readonly mismatched?: string | undefined;
}> {
  override get message(): string {
    const what = `'${this.path}' in the cache ${this.cache}`;
    if (this.mismatched !== undefined) {
      return `${what} has a signature of the trusted key ${this.mismatched} that does not match: what the cache says of it is damaged or was tampered with. Nothing of it was used.`;
    }
    const by = this.signers.length === 0 ? "by nobody" : `only by ${this.signers.join(", ")}, who is not trusted`;
    return `${what} is signed ${by}. Add the cache's public key to the trusted keys if you trust it.`;
  }
}

/** The cache cannot be read or written. */
export class CacheUnreachable extends Data.TaggedError("CacheUnreachable")<{
  readonly cache: string;
  readonly file: string;
  readonly reason: string;
}> {
  override get message(): string {
    return `cannot reach '${this.file}' in the cache ${this.cache}: ${this.reason}.`;
  }
}

/** A file of the cache is, again and again, something else than was written. Whether that lasts, nobody can say. */
export class CacheFileUnsettled extends Data.TaggedError("CacheFileUnsettled")<{
  readonly cache: string;
  readonly file: string;
  /** How often that was tried. */
  readonly rounds: number;
  /** Whether there was no such file in the end. */
  readonly missing: boolean;
}> {
  override get message(): string {
    const what = `'${this.file}' in the cache ${this.cache} was to be changed ${this.rounds} times, and each time`;
    const cause = this.missing
      ? "the server did not give it back: its answers may come from a proxy that remembers old ones, or it lets you write and not read."
      : "something else was there by then or afterwards: others write it as well, or the answers come from a proxy that remembers old ones or changes their tags.";
    return `${what} ${cause} Push again a little later; what is there by then is not sent again.`;
  }
}

/** The cache is made for another store directory, so all its paths are other ones. */
export class IncompatibleCache extends Data.TaggedError("IncompatibleCache")<{
  readonly cache: string;
  readonly storeDirectory: string;
}> {
  override get message(): string {
    return `the cache ${this.cache} is made for the store directory '${this.storeDirectory}' and cannot be used here.`;
  }
}
