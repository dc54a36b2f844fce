import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { parseAterm } from "#lib/derivations/aterm.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { Instantiation } from "#lib/derivations/instantiate.ts";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { derivationName, type DerivationPath, parseDerivationPath } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { writeAtomically } from "#lib/store/atomic-file.ts";
import { storeError, type StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";

/** A root as it was when it was last built, with every derivation below it. */
export interface BuildRecord {
  readonly root: DerivationPath;
  readonly derivations: ReadonlyMap<DerivationPath, StoreDerivation>;
}

/**
 * One compressed file for each name of a root. It only serves to explain later what changed; nothing is decided by
 * it, so it may be deleted at any time.
 */
const recordFile = (store: Store["Service"], name: string): string =>
  posix.join(store.layout.builds, `${name}.json.gz`);

/** Remembers what a successful build of `root` consisted of. */
export const recordBuild = Effect.fnUntraced(function* (
  instantiation: Instantiation,
  root: Derivation,
): Effect.fn.Return<void, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const top = instantiation.derivations.get(root);
  if (top === undefined) return;
  const file = recordFile(store, root.name);
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
      const content = await promisify(gzip)(JSON.stringify({ root: top.path, derivations: texts }));
      await fs.promises.mkdir(posix.dirname(file), { recursive: true });
      await writeAtomically(fs, store.layout.temporary, file, content);
    },
    catch: (cause) => storeError("write the build record", file, cause),
  });
});

/** What the last successful build of a root of this name consisted of; undefined if none is recorded, or a damaged one. */
export const readBuildRecord = Effect.fnUntraced(function* (
  name: string,
): Effect.fn.Return<BuildRecord | undefined, StoreError, Store | FileSystem> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const file = recordFile(store, name);
  const content = yield* Effect.tryPromise({
    try: () =>
      fs.promises.readFile(file).catch((cause: unknown) => {
        if (errorCode(cause) === "ENOENT") return undefined;
        throw cause;
      }),
    catch: (cause) => storeError("read the build record", file, cause),
  });
  return content === undefined ? undefined : yield* Effect.promise(() => parseRecord(content));
});

async function parseRecord(content: Uint8Array): Promise<BuildRecord | undefined> {
  try {
    const fields: unknown = JSON.parse((await promisify(gunzip)(content)).toString("utf8"));
    if (typeof fields !== "object" || fields === null) return undefined;
    const { root, derivations } = fields as { readonly root?: unknown; readonly derivations?: unknown };
    if (typeof root !== "string" || typeof derivations !== "object" || derivations === null) return undefined;
    const parsed = Object.entries(derivations).map(([text, aterm]): [DerivationPath, StoreDerivation] => {
      const path = parseDerivationPath(text);
      return [path, parseAterm(derivationName(path), String(aterm))];
    });
    return { root: parseDerivationPath(root), derivations: new Map(parsed) };
  } catch {
    return undefined;
  }
}
