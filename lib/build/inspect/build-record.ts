import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { parseAterm } from "#lib/derivations/aterm.ts";
import { encodeBase32 } from "#lib/derivations/base32.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { hashBytes, hashData } from "#lib/derivations/hash.ts";
import type { Instantiation } from "#lib/derivations/instantiate.ts";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { derivationName, type DerivationPath, parseDerivationPath } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { modificationTime, removeIfThere, writeAtomically } from "#lib/store/atomic-file.ts";
import { storeError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";

/** A root as it was when it was last built, with every derivation below it. */
export interface BuildRecord {
  readonly root: DerivationPath;
  readonly derivations: ReadonlyMap<DerivationPath, StoreDerivation>;
  /** What described it: the directory of a flake, or a file. Undefined where that is not known. */
  readonly origin: string | undefined;
}

/** Records of one name that are kept; that of the origin that was built longest ago goes first. */
const mostRecords = 8;

/**
 * One compressed file for each name of a root and each origin: two trees may well give their images the same name. It
 * only serves to explain later what changed; nothing is decided by it, so it may be deleted at any time.
 */
const recordName = (name: string, origin: string | undefined): string =>
  origin === undefined ? `${name}${suffix}` : `${encodeBase32(hashBytes(hashData("sha1", origin)))}-${name}${suffix}`;

const suffix = ".json.gz";

/** Remembers what a successful build of `root` consisted of. */
export const recordBuild = Effect.fnUntraced(function* (
  instantiation: Instantiation,
  root: Derivation,
  origin: string | undefined,
): Effect.fn.Return<void, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const { layout } = yield* Store;
  const top = instantiation.derivations.get(root);
  if (top === undefined) return;
  const file = posix.join(layout.builds, recordName(root.name, origin));
  yield* Effect.tryPromise({
    try: async () => {
      const texts: Record<string, string> = {};
      const next = [top.path];
      for (let path = next.pop(); path !== undefined; path = next.pop()) {
        const derivation = instantiation.byPath.get(path);
        if (derivation === undefined || Object.hasOwn(texts, path)) continue;
        texts[path] = derivation.text;
        next.push(...derivation.store.inputDerivations.keys());
      }
      const content = await promisify(gzip)(JSON.stringify({ root: top.path, origin, derivations: texts }));
      await fs.promises.mkdir(posix.dirname(file), { recursive: true });
      await writeAtomically(fs, layout.temporary, file, content);
      const recorded = await recordsOf(fs, layout.builds, root.name);
      for (const old of recorded.slice(mostRecords)) await removeIfThere(fs, old);
    },
    catch: (cause) => storeError("write the build record", file, cause),
  });
});

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

/** The files of the records of a name, the last one first. */
async function recordsOf(fs: FileSystemShape, directory: string, name: string): Promise<string[]> {
  const known = recordName(name, undefined);
  const hashLength = recordName(name, "").length - known.length;
  const names = (await namesIn(fs, directory)).filter(
    (entry) => entry === known || (entry.slice(hashLength) === known && /^[0-9a-z]+-/.test(entry)),
  );
  return names
    .map((entry) => `${directory}/${entry}`)
    .map((file) => ({ file, written: modificationTime(fs, file) ?? 0 }))
    .sort((left, right) => right.written - left.written || (left.file < right.file ? -1 : 1))
    .map(({ file }) => file);
}

const namesIn = (fs: FileSystemShape, directory: string): Promise<string[]> =>
  fs.promises.readdir(directory).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return [];
    throw cause;
  });

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
