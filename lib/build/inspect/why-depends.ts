import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { hashPart, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { storeError, type StoreError } from "#lib/store/errors.ts";
import { whyDepends } from "#lib/store/queries.ts";
import { ReferenceScanner } from "#lib/store/reference-scanner.ts";
import { Store } from "#lib/store/store.ts";

/** One step of a chain of references. */
export interface DependencyStep {
  readonly path: StorePath;
  /** Files of this path that mention the next one, sorted, at most five; empty for the last. "" is the path itself. */
  readonly files: readonly string[];
}

/**
 * A shortest chain of references from one path to another (`whyDepends` of the store), and the files that make each
 * link. Undefined if there is none.
 */
export const explainDependency = Effect.fnUntraced(function* (
  from: StorePath,
  to: StorePath,
): Effect.fn.Return<readonly DependencyStep[] | undefined, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const chain = yield* whyDepends(from, to);
  if (chain === undefined) return undefined;
  return yield* Effect.forEach(chain, (path, index) => {
    const next = chain[index + 1];
    if (next === undefined) return Effect.succeed<DependencyStep>({ path, files: [] });
    return Effect.tryPromise({
      try: async (): Promise<DependencyStep> => ({
        path,
        files: await filesMentioning(fs, store.physical(path), next),
      }),
      catch: (cause) => storeError("search", path, cause),
    });
  });
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
