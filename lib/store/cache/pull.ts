import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { withDecompressed } from "#lib/archives/decompress.ts";
import { UnsupportedArchive } from "#lib/archives/errors.ts";
import { equalHashes, formatBase32 } from "#lib/derivations/hash.ts";
import type { RealisationKey } from "#lib/derivations/hash-modulo.ts";
import { type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { reasonOf } from "#lib/platform/reason.ts";
import { attempt } from "../attempt.ts";
import { NarError } from "../errors.ts";
import { Hasher } from "../hash-tree.ts";
import { NarReader } from "../nar-reader.ts";
import type { PathInfo } from "../path-info.ts";
import { parseSignedRealisation, type Realisation, realisationFingerprint } from "../realisation.ts";
import { pathFingerprint, type PublicKey, signedBy, signerOf } from "../signature.ts";
import { Store } from "../store.ts";
import { TreeWriter } from "../tree.ts";
import { digestContent, proveContent } from "../verification.ts";
import type { CacheFiles } from "./cache-files.ts";
import { isCacheCompression } from "./compression.ts";
import { type CacheError, CacheFileDamaged, IncompatibleCache, NotInCache, UntrustedPath } from "./errors.ts";
import { type NarInfo, narInfoFile, parseNarInfo } from "./narinfo.ts";
import { referenceLevels } from "./reference-levels.ts";

/** How to take from a cache. */
export interface PullOptions {
  /** Whose signatures count. Paths that their own content proves need none. */
  readonly trusted?: readonly PublicKey[];
  /** Archives fetched at once. */
  readonly jobs?: number;
}

/** Fails unless the cache is made for this store directory. */
const checkCache = Effect.fnUntraced(function* (cache: CacheFiles): Effect.fn.Return<void, CacheError> {
  const text = (yield* cache.read("nix-cache-info")) ?? "";
  const [, directory] = /^StoreDir: *(.*)$/m.exec(text) ?? [];
  if (directory !== undefined && directory !== storeDirectory) {
    yield* new IncompatibleCache({ cache: cache.name, storeDirectory: directory });
  }
});

/**
 * What a cache says of paths and of all that they refer to. Nothing is fetched.
 *
 * @returns of those that are not valid already; fails if one of them is not in the cache
 */
const findPaths = Effect.fnUntraced(function* (
  cache: CacheFiles,
  paths: Iterable<StorePath>,
): Effect.fn.Return<ReadonlyMap<StorePath, NarInfo>, CacheError, Store> {
  yield* checkCache(cache);
  const wanted = new Map<StorePath, NarInfo>();
  let border = [...new Set(paths)];
  while (border.length > 0) {
    const infos = yield* Effect.forEach(border, (path) => narInfoOf(cache, path), { concurrency: 8 });
    const next = new Set<StorePath>();
    for (const info of infos) if (info !== undefined) wanted.set(info.info.path, info);
    for (const info of infos) {
      for (const reference of info?.info.references ?? []) if (!wanted.has(reference)) next.add(reference);
    }
    border = [...next];
  }
  return wanted;
});

/**
 * How much would have to be fetched to make paths and all that they refer to valid: bytes of archives, or 0 where the
 * cache does not tell. What no trusted signature vouches for, and no content could prove, is an error here already.
 */
export const askForPaths = Effect.fnUntraced(function* (
  cache: CacheFiles,
  paths: Iterable<StorePath>,
  { trusted = [] }: PullOptions = {},
): Effect.fn.Return<number, CacheError, Store> {
  let bytes = 0;
  for (const narInfo of (yield* findPaths(cache, paths)).values()) {
    const { info } = narInfo;
    if (isDoubtful(info, trusted)) return yield* untrusted(cache, info.path, info.signatures ?? [], trusted);
    bytes += narInfo.fileSize ?? 0;
  }
  return bytes;
});

/**
 * Whether what a cache says of a path is not to be believed: no trusted key has signed it, and no content will prove
 * it, or there is a signature of a trusted key, of something else.
 */
function isDoubtful(info: PathInfo, trusted: readonly PublicKey[]): boolean {
  const signatures = info.signatures ?? [];
  if (signedBy(pathFingerprint(info), signatures, trusted) !== undefined) return false;
  return info.contentAddress === undefined || mismatchedKey(signatures, trusted) !== undefined;
}

/**
 * Makes paths and all that they refer to valid, out of a cache. Every archive is compared with its narinfo, and the
 * narinfo with a trusted signature or with the content itself, before anything of it can be seen in the store.
 *
 * @returns what was not valid before
 */
export const pullPaths = Effect.fnUntraced(function* (
  cache: CacheFiles,
  paths: Iterable<StorePath>,
  options: PullOptions = {},
): Effect.fn.Return<readonly StorePath[], CacheError, Store | FileSystem | Processes> {
  const wanted = yield* findPaths(cache, paths);
  const levels = referenceLevels(new Map([...wanted].map(([path, { info }]) => [path, info])));
  const order = levels.flat().map((info) => info.path);
  if (order.length < wanted.size) {
    const file = narInfoFile([...wanted.keys()].find((path) => !order.includes(path)) ?? ("" as StorePath));
    return yield* new CacheFileDamaged({ cache: cache.name, file, problem: "its references go in a circle" });
  }
  for (const level of levels) {
    yield* Effect.forEach(
      level.flatMap(({ path }) => wanted.get(path) ?? []),
      (narInfo) => Effect.scoped(unpack(cache, narInfo, options.trusted ?? [])),
      { concurrency: options.jobs ?? 4, discard: true },
    );
  }
  return order.sort();
});

/** What a cache says of a path; undefined if the path is valid already. */
const narInfoOf = Effect.fnUntraced(function* (
  cache: CacheFiles,
  path: StorePath,
): Effect.fn.Return<NarInfo | undefined, CacheError, Store> {
  const store = yield* Store;
  if (yield* store.isValid(path)) return undefined;
  const file = narInfoFile(path);
  const text = yield* cache.read(file);
  if (text === undefined) return yield* new NotInCache({ cache: cache.name, path });
  const narInfo = yield* Effect.try({
    try: () => parseNarInfo(text),
    catch: (cause) => new CacheFileDamaged({ cache: cache.name, file, problem: reasonOf(cause) }),
  });
  if (narInfo.info.path !== path) {
    return yield* new CacheFileDamaged({ cache: cache.name, file, problem: `it is about '${narInfo.info.path}'` });
  }
  return narInfo;
});

/** Fetches an archive, checks it, and registers what it holds. */
const unpack = Effect.fnUntraced(function* (
  cache: CacheFiles,
  narInfo: NarInfo,
  trusted: readonly PublicKey[],
): Effect.fn.Return<void, CacheError, Store | FileSystem | Processes | Scope.Scope> {
  const store = yield* Store;
  const fs = yield* FileSystem;
  const { info, url, compression } = narInfo;
  const damaged = (problem: string): CacheFileDamaged =>
    new CacheFileDamaged({ cache: cache.name, file: url, problem });
  if (isDoubtful(info, trusted)) return yield* untrusted(cache, info.path, info.signatures ?? [], trusted);
  const file = narInfoFile(info.path);
  if (!isCacheCompression(compression)) {
    const feature = `its compression '${compression}' (there are none, gzip, xz and zstd)`;
    return yield* new UnsupportedArchive({ archive: `'${file}' in the cache ${cache.name}`, feature });
  }
  const directory = yield* store.temporaryDirectory;
  const archive = `${directory}/archive`;
  if (!(yield* cache.download(url, archive, narInfo.fileSize)))
    return yield* damaged(`it is not there, although '${file}' names it`);
  const size = yield* attempt("read", archive, () => checkFile(fs, archive, narInfo)).pipe(
    Effect.flatMap((found) => (typeof found === "string" ? Effect.fail(damaged(found)) : Effect.succeed(found))),
  );

  const tree = `${directory}/tree`;
  const hasher = new Hasher("sha256");
  const unpacked = yield* withDecompressed(
    { path: archive, start: 0, size, compression },
    (chunks) => unpackChunks(fs, tree, chunks, hasher),
    info.narSize,
  ).pipe(
    // Too long, or badly compressed: all the same to whoever wants the path.
    Effect.catchTag(["ArchiveTooLarge", "DecompressionFailed"], (error) =>
      // It is the cache's file that is named, not its copy.
      Effect.fail(damaged(error.message.replace(`${archive}: `, "it ").replace(/\.$/, ""))),
    ),
  );
  if (typeof unpacked === "string") return yield* damaged(unpacked);
  if (unpacked !== info.narSize) return yield* damaged(`it has ${unpacked} bytes unpacked, not ${info.narSize}`);
  const hash = hasher.digest();
  if (!equalHashes(hash, info.narHash)) {
    return yield* damaged(`its hash is ${formatBase32(hash)}, not ${formatBase32(info.narHash)}`);
  }
  if (info.contentAddress !== undefined) {
    const proof = yield* attempt("examine", tree, async () =>
      proveContent(info.path, info.references, await digestContent(fs, tree)),
    );
    if (proof === undefined || proof.address !== info.contentAddress || (!proof.refers && info.references.length > 0)) {
      return yield* damaged("its content does not give its path");
    }
  }
  yield* store.registerTree(tree, info);
});

/** What to say of something that no trusted key has signed. */
function untrusted(
  cache: CacheFiles,
  path: string,
  signatures: readonly string[],
  trusted: readonly PublicKey[],
): UntrustedPath {
  const mismatched = mismatchedKey(signatures, trusted);
  return new UntrustedPath({ cache: cache.name, path, signers: signatures.map(signerOf), mismatched });
}

/** Of signatures none of which is good: the name of a trusted key that one claims to be of. */
function mismatchedKey(signatures: readonly string[], trusted: readonly PublicKey[]): string | undefined {
  const signers = new Set(signatures.map(signerOf));
  return trusted.find(({ name }) => signers.has(name))?.name;
}

/** The size of a compressed archive, or what is wrong with it. */
async function checkFile(fs: FileSystemShape, archive: string, narInfo: NarInfo): Promise<number | string> {
  const hasher = new Hasher("sha256");
  let size = 0;
  for await (const chunk of fs.createReadStream(archive)) {
    hasher.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  if (narInfo.fileSize !== undefined && size !== narInfo.fileSize)
    return `it has ${size} bytes, not ${narInfo.fileSize}`;
  const hash = hasher.digest();
  if (narInfo.fileHash !== undefined && !equalHashes(hash, narInfo.fileHash)) {
    return `its hash is ${formatBase32(hash)}, not ${formatBase32(narInfo.fileHash)}`;
  }
  return size;
}

/** Writes the tree of an archive. Its size, or why it is no archive. */
async function unpackChunks(
  fs: FileSystemShape,
  tree: string,
  chunks: AsyncIterable<Uint8Array>,
  hasher: Hasher,
): Promise<number | string> {
  const writer = new TreeWriter(fs, tree);
  const reader = new NarReader(writer);
  let size = 0;
  try {
    for await (const chunk of chunks) {
      hasher.update(chunk);
      size += chunk.length;
      await reader.push(chunk);
    }
    reader.end();
    return size;
  } catch (cause) {
    if (cause instanceof NarError) return reasonOf(cause);
    throw cause;
  } finally {
    writer.close();
  }
}

/**
 * Looks up the realisation of an output: which path it became. Unlike a path, it proves nothing by itself: only a
 * trusted signature counts.
 *
 * @returns undefined if the cache does not have it
 */
export const findRealisation = Effect.fnUntraced(function* (
  cache: CacheFiles,
  key: RealisationKey,
  { trusted = [] }: PullOptions = {},
): Effect.fn.Return<Realisation | undefined, CacheError> {
  const file = `realisations/${key}.doi`;
  const text = yield* cache.read(file);
  if (text === undefined) return undefined;
  const signed = parseSignedRealisation(text);
  if (signed === undefined || signed.realisation.key !== key) {
    return yield* new CacheFileDamaged({ cache: cache.name, file, problem: "it is not the realisation of its name" });
  }
  const { realisation, signatures } = signed;
  if (signedBy(realisationFingerprint(realisation), signatures, trusted) === undefined) {
    return yield* untrusted(cache, file, signatures, trusted);
  }
  return realisation;
});

/**
 * Takes the realisation of an output out of a cache, and the path that it became.
 *
 * @returns undefined if the cache does not have it
 */
export const pullRealisation = Effect.fnUntraced(function* (
  cache: CacheFiles,
  key: RealisationKey,
  options: PullOptions = {},
): Effect.fn.Return<Realisation | undefined, CacheError, Store | FileSystem | Processes> {
  const store = yield* Store;
  const realisation = yield* findRealisation(cache, key, options);
  if (realisation === undefined) return undefined;
  yield* pullPaths(cache, [realisation.path], options);
  yield* store.addRealisation(realisation);
  return realisation;
});
