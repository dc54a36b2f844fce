import * as Effect from "effect/Effect";
import { encodeBase32 } from "#lib/derivations/base32.ts";
import { equalHashes, hashBytes } from "#lib/derivations/hash.ts";
import { type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { emit, type Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { reasonOf } from "#lib/platform/reason.ts";
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
): Effect.fn.Return<PushResult, CacheError, Store | FileSystem | Processes | Events> {
  const store = yield* Store;
  const closure = yield* store.closure(paths);
  // What cannot be deleted does not hinder, and may be deletable the next time.
  yield* cache.removeLeftovers.pipe(Effect.catch(({ message }) => warn(message)));
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
        const damage = text === undefined ? undefined : damageOf(text, info);
        if (damage !== undefined) yield* warn(replaced(cache, narInfoFile(info.path), damage));
        if (text === undefined || damage !== undefined) {
          yield* pushPath(cache, info, damage !== undefined, options);
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
  isDamaged: boolean,
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
      // What damaged the narinfo may have damaged its archive as well.
      if (isDamaged || !(yield* cache.has(url))) yield* cache.upload(url, archive);
      const signatures = signaturesOf(info, key);
      const signed = { ...info, ...(signatures.length > 0 && { signatures }) };
      const narInfo = { info: signed, url, compression: used, fileHash: file.hash, fileSize: file.size };
      // Somebody may have pushed it meanwhile.
      yield* cache.update(narInfoFile(info.path), (text) =>
        text === undefined || damageOf(text, info) !== undefined
          ? printNarInfo(narInfo)
          : addSignatures(text, info, key),
      );
    }),
  );
});

/** The narinfo of a path that is in a cache, with the signatures that we have; left as it is if it is of another content. */
function addSignatures(text: string | undefined, info: PathInfo, key: SecretKey | undefined): string | undefined {
  if (text === undefined) return undefined;
  const own = signaturesOf(info, key);
  return own.length > 0 && isOf(text, info) ? signNarInfo(text, own) : text;
}

/** One that cannot be read is of nothing. */
const isOf = (text: string, info: PathInfo): boolean =>
  damageOf(text, info) === undefined && pathFingerprint(parseNarInfo(text).info) === pathFingerprint(info);

/** Why nobody can pull the path by this narinfo; undefined if it can be read, whatever content it is of. */
function damageOf(text: string, { path }: PathInfo): string | undefined {
  try {
    const found = parseNarInfo(text).info.path;
    return found === path ? undefined : `it is about '${found}'`;
  } catch (cause) {
    return reasonOf(cause);
  }
}

const replaced = (cache: CacheFiles, file: string, damage: string): string =>
  `'${file}' in the cache ${cache.name} is damaged: ${damage}. It is replaced.`;

const warn = (message: string): Effect.Effect<void, never, Events> => emit({ type: "warning", message });

function signaturesOf(info: PathInfo, key: SecretKey | undefined): readonly string[] {
  const known = info.signatures ?? [];
  if (key === undefined) return known;
  return [...new Set([...known, signText(pathFingerprint(info), key)])].sort();
}

/**
 * Adds our signature to those that a cache has. What it says already stays, as somebody may have taken that path; but
 * nobody takes what cannot be read.
 */
const pushRealisation = Effect.fnUntraced(function* (
  cache: CacheFiles,
  realisation: Realisation,
  key: SecretKey | undefined,
): Effect.fn.Return<void, CacheError, Events> {
  const fingerprint = realisationFingerprint(realisation);
  const own = key === undefined ? [] : [signText(fingerprint, key)];
  const file = `realisations/${realisation.key}.doi`;
  let isDamaged = false;
  yield* cache.update(file, (text) => {
    const signed = text === undefined ? undefined : parseSignedRealisation(text);
    const present = signed?.realisation.key === realisation.key ? signed : undefined;
    isDamaged ||= text !== undefined && present === undefined;
    if (present !== undefined && realisationFingerprint(present.realisation) !== fingerprint) return undefined;
    return printSignedRealisation(realisation, [...new Set([...(present?.signatures ?? []), ...own])].sort());
  });
  if (isDamaged) yield* warn(replaced(cache, file, "it is not the realisation of its name"));
});
