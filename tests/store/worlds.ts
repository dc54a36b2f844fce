import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store, type StoreShape } from "#lib/store/store.ts";
import { deleteTree } from "#lib/store/tree.ts";
import { memory } from "../memory.ts";

/** A file system with a store on it. */
export interface World {
  readonly fs: typeof nodeFs;
  /** An empty directory. */
  readonly directory: string;
  /** Opens the store of this world and runs something in it. */
  readonly run: <A>(effect: Effect.Effect<A, StoreError, Store>) => Promise<A>;
  /** As `run`, for what should fail. */
  readonly fail: (effect: Effect.Effect<unknown, StoreError, Store>) => Promise<StoreError>;
}

export function world(fs: typeof nodeFs, directory: string): World {
  const layer = Store.layer({ root: join(directory, "store") }).pipe(Layer.provide(Layer.succeed(FileSystem, fs)));
  return {
    fs,
    directory,
    run: (effect) => Effect.runPromise(Effect.provide(effect, layer)),
    fail: (effect) => Effect.runPromise(Effect.flip(Effect.provide(effect, layer))),
  };
}

export const worlds: Record<string, (t: Test) => World> = {
  memory: () => {
    const fs = memory();
    fs.mkdirSync("/w");
    return world(fs, "/w");
  },
  disk: (t) => {
    const directory = nodeFs.mkdtempSync(join(tmpdir(), "store-test-"));
    t.teardown(() => deleteTree(nodeFs, directory));
    return world(nodeFs, directory);
  },
};

export const store = <A, E, R>(use: (store: StoreShape) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Store> =>
  Effect.flatMap(Store, use);

/** The error of something that should fail. */
export const failure = <E, R>(effect: Effect.Effect<unknown, E, R>): Effect.Effect<E, never, R> =>
  Effect.orDie(Effect.flip(effect));

/** Writes the tree called "src" in the vectors. */
export function writeSource(fs: typeof nodeFs, root: string): void {
  fs.mkdirSync(join(root, "sub"), { recursive: true });
  fs.writeFileSync(join(root, "a.txt"), "alpha\n");
  fs.symlinkSync("a.txt", join(root, "link"));
  fs.writeFileSync(join(root, "run.sh"), "#!/bin/sh\necho hi\n");
  fs.chmodSync(join(root, "run.sh"), 0o755);
  fs.writeFileSync(join(root, "sub/empty"), "");
}
