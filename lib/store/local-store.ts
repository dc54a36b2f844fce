import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { basename } from "node:path";
import { sha256 } from "#lib/derivations/hash.ts";
import type { Source } from "#lib/derivations/source.ts";
import { contentAddress, sourceStorePath, textPath } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { makeDirectory } from "#lib/platform/make-directory.ts";
import { removeIfThere, uniqueName, writeNew } from "./atomic-file.ts";
import { attempt } from "./attempt.ts";
import { type StoreError, storeError } from "./errors.ts";
import { FileLocks } from "./file-lock.ts";
import { hashTree, type NarHash } from "./hash-tree.ts";
import { KeptArchive } from "./kept-archive.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { narString, narTokens } from "./nar-format.ts";
import { collectGarbage, verifyStore } from "./maintenance.ts";
import { NarReader } from "./nar-reader.ts";
import type { Sink } from "./nar-writer.ts";
import type { PathInfo } from "./path-info.ts";
import { type OutputRegistration, examineOutput } from "./registration.ts";
import { Registry } from "./registry.ts";
import { listRoots } from "./roots.ts";
import { selectionOf } from "./source-tree.ts";
import type { StoreShape } from "./store.ts";
import { StoreReader } from "./store-reader.ts";
import { makeTemporaryDirectory, removeLeftovers } from "./temporary.ts";
import { canonicalMode, deleteTree, storeTime, TreeWriter } from "./tree.ts";
import { treeFiles } from "./tree-files.ts";

/** Opens the store below `root`, and makes it if there is none. */
export const openLocalStore = Effect.fnUntraced(function* (
  fs: FileSystemShape,
  root: string,
): Effect.fn.Return<StoreShape, StoreError, Scope.Scope> {
  const layout = layoutOf(root);
  yield* attempt("open the store", root, () => makeDirectories(fs, layout));
  const reader = new StoreReader(fs, layout);
  yield* Effect.addFinalizer(() => Effect.promise(() => reader.close()));
  const locks = new FileLocks(reader.locks);
  const registry = new Registry(reader);
  const cleaning = attempt("clean", layout.temporary, (signal) => removeLeftovers(fs, layout, signal));
  yield* Effect.forkScoped(Effect.ignore(cleaning));

  const withLock: StoreShape["withLock"] = (name, effect) => locks.withLock(basename(name), effect);

  const temporaryDirectory = Effect.acquireRelease(
    attempt("make a directory in", layout.temporary, () => makeTemporaryDirectory(fs, layout)),
    // A leftover is removed by the next process; failing here would hide what the scope was about.
    (directory) => Effect.ignore(attempt("delete", directory, () => deleteTree(fs, directory))),
  );

  const commit = (tree: string, info: PathInfo): Effect.Effect<PathInfo, StoreError> =>
    withLock(
      info.path,
      Effect.uninterruptible(attempt("add to the store", info.path, () => registry.commit(tree, info))),
    );

  const isValid: StoreShape["isValid"] = (path) =>
    attempt("read the info of", path, async () => (await reader.info(path)) !== undefined);

  const addText: StoreShape["addText"] = Effect.fnUntraced(function* (name, content, references) {
    const sorted = [...new Set(references)].sort();
    const path = yield* Effect.try({
      try: () => textPath(name, sha256(content), sorted),
      catch: (cause) => storeError("name the text", name, cause),
    });
    if (yield* isValid(path)) return path;
    const nar = narOfText(content);
    const info: PathInfo = {
      path,
      narHash: sha256(nar),
      narSize: nar.length,
      references: sorted,
      contentAddress: contentAddress("text", sha256(content)),
    };
    yield* Effect.uninterruptible(
      attempt("write the text", path, async () => {
        const file = await writeText(fs, layout, content);
        try {
          await registry.commitFile(file, info);
        } catch (cause) {
          await removeIfThere(fs, file);
          throw cause;
        }
      }),
    );
    return path;
  });

  const readSource = (source: Source, tee?: Sink): Effect.Effect<NarHash, StoreError> =>
    attempt("read the source", source.path, (signal) => reader.readSource(source, signal, tee));

  const addSource: StoreShape["addSource"] = Effect.fnUntraced(function* (source, hashed) {
    const archive = new KeptArchive();
    const read = hashed === undefined ? yield* readSource(source, (chunk) => archive.keep(chunk)) : undefined;
    const path = read === undefined ? hashed : sourceStorePath(source.name, read.hash);
    const isThere = path !== undefined && (yield* isValid(path));
    if (isThere) return path;
    const directory = yield* temporaryDirectory;
    const tree = `${directory}/source`;
    const nar = yield* attempt("copy the source", source.path, async (signal) => {
      const writer = new TreeWriter(fs, tree, signal);
      const reader = new NarReader(writer);
      try {
        if (read !== undefined && archive.chunks !== undefined) {
          for (const chunk of archive.chunks) await reader.push(chunk);
          return read;
        }
        // Hashed while it is copied, if not for the first time: what counts is what is in the copy.
        const selection = await selectionOf(fs, source);
        return await hashTree(fs, source.path, { selection, signal }, (chunk) => reader.push(chunk));
      } finally {
        writer.close();
      }
    });
    const info = yield* commit(tree, {
      path: sourceStorePath(source.name, nar.hash),
      narHash: nar.hash,
      narSize: nar.size,
      references: [],
      contentAddress: contentAddress("recursive", nar.hash),
    });
    return info.path;
  }, Effect.scoped);

  const registerOutput = Effect.fnUntraced(function* (registration: OutputRegistration) {
    const { directory, name } = registration;
    const info = yield* attempt(`examine the output '${name}' in`, directory, (signal) =>
      examineOutput(fs, registration, signal),
    );
    return yield* commit(directory, info);
  });

  return {
    root,
    layout,
    reader,
    physical: (path) => reader.physical(path),
    isValid,
    pathInfo: (path) => attempt("read the info of", path, () => reader.info(path)),
    closure: (paths) => attempt("read the closure in", layout.info, () => registry.closure(paths)),
    protect: (paths) => attempt("write to", layout.users, () => reader.protect(paths)),
    addText,
    addSource,
    sourcePath: (source) => attempt("read the source", source.path, (signal) => reader.sourcePath(source, signal)),
    registerOutput,
    registerTree: commit,
    realisation: (key) => attempt("read the realisation", key, () => reader.realisation(key)),
    realisations: attempt("read", layout.realisations, (signal) => registry.realisations(signal)),
    addRealisation: (realisation) =>
      attempt("write the realisation", realisation.key, () => registry.addRealisation(realisation)),
    withLock,
    temporaryDirectory,
    addRoot: (link, target) => attempt("make the link", link, () => reader.addRoot(link, target)),
    roots: attempt("read the roots in", layout.roots, () => listRoots(fs, layout, false)),
    removeLeftovers: cleaning,
    collectGarbage: (options = {}) => collectGarbage(registry, locks, options),
    verify: (options = {}) => verifyStore(registry, locks, options),
  };
});

/**
 * Makes the directories of a store. One that is there but read-only can still be read from, also if it is of an older
 * version, which withdrew nothing.
 */
async function makeDirectories(fs: FileSystemShape, layout: Layout): Promise<void> {
  const { root: _, withdrawn, ...directories } = layout;
  for (const directory of Object.values(directories)) await makeDirectory(fs, directory);
  try {
    await makeDirectory(fs, withdrawn);
  } catch (cause) {
    if (errorCode(cause) !== "EROFS" && errorCode(cause) !== "EACCES") throw cause;
  }
}

function narOfText(content: string): Buffer {
  const { magic, regular, close } = narTokens;
  return Buffer.concat([magic, regular, narString(content), close]);
}

/** Writes the file of a text beside the store, ready to be moved. */
async function writeText(fs: FileSystemShape, layout: Layout, content: string): Promise<string> {
  const files = treeFiles(fs);
  const file = `${layout.temporary}/${await uniqueName()}`;
  await writeNew(fs, file, content, 0o600, (descriptor) => {
    files.fchmodSync(descriptor, canonicalMode.file);
    files.futimesSync(descriptor, storeTime, storeTime);
  });
  return file;
}
