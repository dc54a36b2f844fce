import * as Effect from "effect/Effect";
import { encodeBase32 } from "#lib/derivations/base32.ts";
import { equalHashes, hashBytes } from "#lib/derivations/hash.ts";
import { type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { InvalidPathError, SourceChangedError } from "../errors.ts";
import type { PathInfo } from "../path-info.ts";
import {
  parseSignedRealisation,
  printSignedRealisation,
  type Realisation,
  realisationFingerprint,
} from "../realisation.ts";
import { pathFingerprint, type SecretKey, signText } from "../signature.ts";
import { Store } from "../store.ts";
import { type CacheCompression, compressionSuffix, compressTree } from "./compression.ts";
import type { CacheFiles } from "./cache-files.ts";
import type { CacheError } from "./errors.ts";
import { narInfoFile, parseNarInfo, printNarInfo, signNarInfo } from "./narinfo.ts";
import { referenceLevels } from "./reference-levels.ts";

/** How to fill a cache. */
export interface PushOptions {
  /** `zstd` by default. */
  readonly compression?: CacheCompression;
  /** Signs everything that is pushed. */
  readonly key?: SecretKey;
  /** Archives made at once. */
  readonly jobs?: number;
}

/** What was copied. */
export interface PushResult {
  readonly pushed: readonly StorePath[];
  /** The cache had them. */
  readonly present: number;
}

/**
 * Copies paths and all that they refer to into a cache, with the realisations of which they are. The narinfo
 * of a path is written after its archive and after those of its references: what a cache lists, it can give.
 */
export const pushPaths = Effect.fnUntraced(function* (
  cache: CacheFiles,
  paths: Iterable<StorePath>,
  options: PushOptions = {},
): Effect.fn.Return<PushResult, CacheError, Store | FileSystem | Processes> {
  const store = yield* Store;
  const closure = yield* store.closure(paths);
  if (!(yield* cache.has("nix-cache-info"))) {
    yield* cache.write("nix-cache-info", `StoreDir: ${storeDirectory}\nWantMassQuery: 1\nPriority: 40\n`);
  }
  const infos = new Map<StorePath, PathInfo>();
  for (const path of closure) {
    const info = yield* store.pathInfo(path);
    if (info === undefined) return yield* Effect.fail(new InvalidPathError({ path }));
    infos.set(path, info);
  }
  const pushed: StorePath[] = [];
  for (const level of referenceLevels(infos)) {
    yield* Effect.forEach(
      level,
      Effect.fnUntraced(function* (info) {
        const text = yield* cache.read(narInfoFile(info.path));
        if (text === undefined) {
          yield* pushPath(cache, info, options);
          pushed.push(info.path);
        } else if (addSignatures(text, info, options.key) !== text) {
          yield* cache.update(narInfoFile(info.path), (present) => addSignatures(present, info, options.key));
        }
      }),
      { concurrency: options.jobs ?? 2, discard: true },
    );
  }
  for (const realisation of yield* store.realisations) {
    if (infos.has(realisation.path)) yield* pushRealisation(cache, realisation, options.key);
  }
  return { pushed: pushed.sort(), present: closure.length - pushed.length };
});

const pushPath = Effect.fnUntraced(function* (
  cache: CacheFiles,
  info: PathInfo,
  { compression = "zstd", key }: PushOptions,
): Effect.fn.Return<void, CacheError, Store | FileSystem | Processes> {
  const store = yield* Store;
  yield* Effect.scoped(
    Effect.gen(function* () {
      const archive = `${yield* store.temporaryDirectory}/archive`;
      const { nar, file, compression: used } = yield* compressTree(store.physical(info.path), archive, compression);
      // Bit rot must not spread.
      if (!equalHashes(nar.hash, info.narHash)) return yield* Effect.fail(new SourceChangedError({ path: info.path }));
      const url = `nar/${encodeBase32(hashBytes(file.hash))}.nar${compressionSuffix[used]}`;
      if (!(yield* cache.has(url))) yield* cache.upload(url, archive);
      const signatures = signaturesOf(info, key);
      const signed = { ...info, ...(signatures.length > 0 && { signatures }) };
      const narInfo = { info: signed, url, compression: used, fileHash: file.hash, fileSize: file.size };
      // Somebody may have pushed it meanwhile.
      yield* cache.update(narInfoFile(info.path), (text) => addSignatures(text, info, key) ?? printNarInfo(narInfo));
    }),
  );
});

/** The narinfo of a path that is in a cache, with the signatures that we have; left as it is if it is of another content. */
function addSignatures(text: string | undefined, info: PathInfo, key: SecretKey | undefined): string | undefined {
  if (text === undefined) return undefined;
  const own = signaturesOf(info, key);
  return own.length > 0 && isOf(text, info) ? signNarInfo(text, own) : text;
}

/** A narinfo that cannot be read is of nothing: whoever pulls is told. */
function isOf(text: string, info: PathInfo): boolean {
  try {
    return pathFingerprint(parseNarInfo(text).info) === pathFingerprint(info);
  } catch {
    return false;
  }
}

function signaturesOf(info: PathInfo, key: SecretKey | undefined): readonly string[] {
  const known = info.signatures ?? [];
  if (key === undefined) return known;
  return [...new Set([...known, signText(pathFingerprint(info), key)])].sort();
}

/** Adds our signature to those that a cache has. What it says already stays: somebody may have taken that path. */
function pushRealisation(
  cache: CacheFiles,
  realisation: Realisation,
  key: SecretKey | undefined,
): Effect.Effect<void, CacheError> {
  const fingerprint = realisationFingerprint(realisation);
  const own = key === undefined ? [] : [signText(fingerprint, key)];
  return cache.update(`realisations/${realisation.key}.doi`, (text) => {
    const present = text === undefined ? undefined : parseSignedRealisation(text);
    if (present !== undefined && realisationFingerprint(present.realisation) !== fingerprint) return undefined;
    return printSignedRealisation(realisation, [...new Set([...(present?.signatures ?? []), ...own])].sort());
  });
}
