import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseAterm } from "#lib/derivations/aterm.ts";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { derivationName, type DerivationPath, parseDerivationPath } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { storeError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { recordName, recordsOf } from "./build-record-file.ts";

/** A root as it was when it was last built, with every derivation below it. */
export interface BuildRecord {
  readonly root: DerivationPath;
  readonly derivations: ReadonlyMap<DerivationPath, StoreDerivation>;
  /** What described it: the directory of a flake, or a file. Undefined where that is not known. */
  readonly origin: string | undefined;
}

/**
 * What the last successful build of a root of this name consisted of, of the same origin if one is recorded, else of any.
 * Undefined if there is none; a damaged one counts as none.
 */
export const readBuildRecord = Effect.fnUntraced(function* (
  name: string,
  origin: string | undefined,
): Effect.fn.Return<BuildRecord | undefined, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const { layout } = yield* Store;
  return yield* Effect.tryPromise({
    try: async () => {
      const own = posix.join(layout.builds, recordName(name, origin));
      const others = await recordsOf(fs, layout.builds, name);
      for (const file of [own, ...others.filter((other) => other !== own)]) {
        const content = await readIfThere(fs, file);
        const record = content === undefined ? undefined : await parseRecord(content);
        if (record !== undefined) return record;
      }
      return undefined;
    },
    catch: (cause) => storeError("read the build records in", layout.builds, cause),
  });
});

/** Says that a record is of another tree than what is compared with it; undefined where it is not. */
export function formatOrigin(record: BuildRecord, origin: string | undefined): string | undefined {
  if (record.origin === origin) return undefined;
  const whose = record.origin === undefined ? "something of this name" : record.origin;
  const own = origin === undefined ? "" : `, since none of ${origin} is recorded`;
  return `compared with the last build of ${whose}${own}`;
}

const readIfThere = (fs: FileSystemShape, file: string): Promise<Uint8Array | undefined> =>
  fs.promises.readFile(file).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw cause;
  });

async function parseRecord(content: Uint8Array): Promise<BuildRecord | undefined> {
  try {
    const fields: unknown = JSON.parse((await promisify(gunzip)(content)).toString("utf8"));
    if (typeof fields !== "object" || fields === null) return undefined;
    const { root, derivations, origin } = fields as Readonly<Record<"root" | "derivations" | "origin", unknown>>;
    if (typeof root !== "string" || typeof derivations !== "object" || derivations === null) return undefined;
    const parsed = Object.entries(derivations).map(([text, aterm]): [DerivationPath, StoreDerivation] => {
      const path = parseDerivationPath(text);
      return [path, parseAterm(derivationName(path), String(aterm))];
    });
    return {
      root: parseDerivationPath(root),
      derivations: new Map(parsed),
      origin: typeof origin === "string" ? origin : undefined,
    };
  } catch {
    return undefined;
  }
}
