import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { hashPart, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { InvalidPathError, storeError, type StoreError } from "#lib/store/errors.ts";
import { ReferenceScanner } from "#lib/store/reference-scanner.ts";
import { Store } from "#lib/store/store.ts";

/** One step of a chain of references. */
export interface DependencyStep {
  readonly path: StorePath;
  /** Files of this path that mention the next one, sorted, at most five; empty for the last. "" is the path itself. */
  readonly files: readonly string[];
}

/**
 * The shortest chain of references from one path to another, and the files that make each link.
 * Undefined if there is none.
 */
export const whyDepends = Effect.fnUntraced(function* (
  from: StorePath,
  to: StorePath,
): Effect.fn.Return<readonly DependencyStep[] | undefined, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const previous = new Map<StorePath, StorePath | undefined>([[from, undefined]]);
  // Breadth first, so the first chain found is a shortest one.
  for (const path of previous.keys()) {
    if (path === to) break;
    const info = (yield* store.pathInfo(path)) ?? (yield* new InvalidPathError({ path }));
    for (const reference of info.references) if (!previous.has(reference)) previous.set(reference, path);
  }
  if (!previous.has(to)) return undefined;

  const chain: DependencyStep[] = [{ path: to, files: [] }];
  for (let [next, path] = [to, previous.get(to)]; path !== undefined; [next, path] = [path, previous.get(path)]) {
    const [holder, mentioned] = [path, next];
    const files = yield* Effect.tryPromise({
      try: () => filesMentioning(fs, store.physical(holder), mentioned),
      catch: (cause) => storeError("search", holder, cause),
    });
    chain.push({ path: holder, files });
  }
  return chain.reverse();
});

const mostFiles = 5;

/** The files of a tree in whose content, link target or name a store path is mentioned. */
async function filesMentioning(fs: FileSystemShape, tree: string, path: StorePath): Promise<string[]> {
  const files: string[] = [];
  const next = [tree];
  for (let current = next.pop(); current !== undefined && files.length < mostFiles; current = next.pop()) {
    const scanner = new ReferenceScanner([hashPart(path)]);
    scanner.update(Buffer.from(`${posix.basename(current)}\0`));
    const status = await fs.promises.lstat(current);
    if (status.isSymbolicLink()) scanner.update(Buffer.from(String(await fs.promises.readlink(current))));
    else if (status.isDirectory()) {
      const names = (await fs.promises.readdir(current)).map(String).sort();
      for (const name of names.reverse()) next.push(posix.join(current, name));
    } else {
      for await (const chunk of fs.createReadStream(current)) {
        scanner.update(chunk as Buffer);
        if (scanner.found.size > 0) break;
      }
    }
    if (scanner.found.size > 0) files.push(posix.relative(tree, current));
  }
  return files;
}
