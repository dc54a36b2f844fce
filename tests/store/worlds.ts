import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { type Layout, layoutOf } from "#lib/store/layout.ts";
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

/** Calls `before` with the number of each call to a file system, starting from 0; what it throws, the call throws. */
export function watched(fs: typeof nodeFs, before: (call: number) => void | Promise<void>): typeof nodeFs {
  let calls = 0;
  const promises = new Proxy(fs.promises, {
    get: (target, name) => {
      const call: unknown = Reflect.get(target, name);
      if (typeof call !== "function") return call;
      return async (...values: unknown[]) => {
        await before(calls++);
        return call.apply(target, values) as unknown;
      };
    },
  });
  return new Proxy(fs, {
    get: (target, name) => {
      if (name === "promises") return promises;
      const call: unknown = Reflect.get(target, name);
      if (typeof call !== "function" || !String(name).endsWith("Sync")) return call;
      return (...values: unknown[]) => {
        const waited = before(calls++);
        // Nobody waits in the middle of a synchronous call, but what was thrown arrives.
        if (waited instanceof Promise) void waited.catch(() => {});
        return call.apply(target, values) as unknown;
      };
    },
  });
}

/**
 * Kills whoever does something in a memory world, before each of its calls to the file system in turn, and looks at what
 * is left. `prepare` makes a new world for each.
 */
export async function killedAtEachCall(
  prepare: () => Promise<World>,
  act: Effect.Effect<unknown, StoreError, Store>,
  look: (world: World, call: number) => Promise<void>,
): Promise<number> {
  for (let last = 0; ; last++) {
    const before = await prepare();
    let died = false;
    const dying = watched(before.fs, (call) => {
      if (call < last) return;
      died = true;
      throw new Error("killed");
    });
    await world(dying, before.directory)
      .run(act)
      .catch(() => {});
    bury(before.fs, layoutOf(join(before.directory, "store")));
    await look(before, last);
    if (!died) return last;
  }
}

/** Makes what this process left in a store what a dead one left: there are no process numbers beyond 2^22. */
function bury(fs: typeof nodeFs, layout: Layout): void {
  const own = `${process.pid}.`;
  for (const directory of [layout.users, layout.temporary, layout.roots, layout.locks]) {
    for (const name of fs.readdirSync(directory)) {
      const place = join(directory, name);
      if (directory === layout.locks && fs.readFileSync(place, "utf8").startsWith(own)) {
        const text = fs.readFileSync(place, "utf8");
        fs.unlinkSync(place);
        fs.writeFileSync(place, text.replace(own, "4194305."));
      }
      if (!name.includes(own)) continue;
      const dead = join(directory, name.replace(own, "4194305."));
      if (!fs.lstatSync(place).isSymbolicLink()) fs.renameSync(place, dead);
      else {
        // memfs renames what a link points to instead of the link.
        fs.symlinkSync(fs.readlinkSync(place), dead);
        fs.unlinkSync(place);
      }
    }
  }
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
