import type { ArchiveError } from "#lib/archives/errors.ts";
import type { FetchError } from "#lib/fetchers/errors.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import { BuiltinFailure } from "#lib/build/builtin.ts";

/** What went wrong with an archive, as the builder reports it. */
export function archiveFailure(error: ArchiveError): BuiltinFailure {
  // A missing or unreadable input is the recipe's fault; what only writing meets is the disk's.
  const disk = error._tag === "ArchiveFileError" && diskCodes.has(errorCode(error.cause) ?? "");
  return failure(disk ? "store" : "build", error);
}

/** What went wrong with a download, as the builder reports it. */
export function fetchFailure(error: FetchError): BuiltinFailure {
  return failure(error._tag === "FetchFileError" ? "store" : "fetch", error);
}

const diskCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"]);

function failure(kind: BuiltinFailure["kind"], error: ArchiveError | FetchError): BuiltinFailure {
  return new BuiltinFailure({ kind, reason: error.message.replace(/\.$/, ""), cause: error });
}
