import { resolve } from "node:path";
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import type { RealisationKey } from "#lib/derivations/hash-modulo.ts";
import type { Source } from "#lib/derivations/source.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Collection, CollectionOptions } from "./collection.ts";
import type { StoreError } from "./errors.ts";
import { defaultRoot, type Layout } from "./layout.ts";
import { openLocalStore } from "./local-store.ts";
import type { Verification, VerificationOptions } from "./maintenance.ts";
import type { PathInfo } from "./path-info.ts";
import type { Realisation } from "./realisation.ts";
import type { OutputRegistration } from "./registration.ts";
import type { Root } from "./roots.ts";
import type { StoreReader } from "./store-reader.ts";

/** What a store does. Paths are logical (`/nix/store/…`) unless they are called physical. */
export interface StoreShape {
  /** The directory below which the store lies on this machine. */
  readonly root: string;
  /** Where the parts of the store lie. */
  readonly layout: Layout;
  /** The same store for plain asynchronous code that only asks. */
  readonly reader: StoreReader;
  /** Where a store path, or a path below one, is on this machine. */
  readonly physical: (path: string) => string;

  /** Whether a path is complete. From then on it is protected from garbage collection while this process runs. */
  readonly isValid: (path: StorePath) => Effect.Effect<boolean, StoreError>;
  /** What is known of a path; undefined if it is not valid. */
  readonly pathInfo: (path: StorePath) => Effect.Effect<PathInfo | undefined, StoreError>;
  /** The paths and everything that they refer to, sorted. Fails if one of them is not valid. */
  readonly closure: (paths: Iterable<StorePath>) => Effect.Effect<StorePath[], StoreError>;
  /** Keeps paths, valid or not yet, from being collected while this process runs. */
  readonly protect: (paths: Iterable<StorePath>) => Effect.Effect<void, StoreError>;

  /** Adds a file with the given content. */
  readonly addText: (
    name: string,
    content: string,
    references: Iterable<StorePath>,
  ) => Effect.Effect<StorePath, StoreError>;
  /**
   * Copies a local file or tree to the store, unless it is there. With what `sourcePath` gave a moment ago it is not
   * read once more to find that out.
   */
  readonly addSource: (source: Source, hashed?: StorePath) => Effect.Effect<StorePath, StoreError>;
  /** The path that `addSource` would give; only reads. */
  readonly sourcePath: (source: Source) => Effect.Effect<StorePath, StoreError>;
  /** Makes what a build gave a valid path. The directory is gone afterwards. */
  readonly registerOutput: (registration: OutputRegistration) => Effect.Effect<PathInfo, StoreError>;
  /**
   * Makes a canonical tree (as `TreeWriter` writes it) a valid path. The caller has checked that it is what `info`
   * says. The tree is gone afterwards.
   */
  readonly registerTree: (tree: string, info: PathInfo) => Effect.Effect<PathInfo, StoreError>;

  /** The realisation of a key, if there is one and its path is valid. */
  readonly realisation: (key: RealisationKey) => Effect.Effect<Realisation | undefined, StoreError>;
  /** All realisations of valid paths. */
  readonly realisations: Effect.Effect<readonly Realisation[], StoreError>;
  /** Remembers which path an output became. */
  readonly addRealisation: (realisation: Realisation) => Effect.Effect<void, StoreError>;

  /** Runs `effect` while nobody else, in no process, has the lock of this store path, or of another name. */
  readonly withLock: <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>;
  /** A directory on the store's file system, deleted with the scope, or later if this process is killed. */
  readonly temporaryDirectory: Effect.Effect<string, StoreError, Scope.Scope>;
  /** Makes `link` (for example `./result`) point to the physical path and keeps that alive while the link exists. */
  readonly addRoot: (link: string, target: StorePath) => Effect.Effect<void, StoreError>;
  /** The root links that exist. */
  readonly roots: Effect.Effect<readonly Root[], StoreError>;
  /** Deletes what killed processes left. It also happens in the background when a store is opened. */
  readonly removeLeftovers: Effect.Effect<number, StoreError>;

  /** Deletes what no root and no running process needs. */
  readonly collectGarbage: (options?: CollectionOptions) => Effect.Effect<Collection, StoreError>;
  /** Compares everything with what was registered, and mends it if asked to. */
  readonly verify: (options?: VerificationOptions) => Effect.Effect<Verification, StoreError>;
}

/** The store as a service. */
export class Store extends Context.Service<Store, StoreShape>()("helios/Store") {
  /** A store below `root` on the file system of the `FileSystem` service. */
  static readonly layer = (options: { readonly root?: string } = {}): Layer.Layer<Store, StoreError, FileSystem> =>
    Layer.effect(
      Store,
      Effect.flatMap(FileSystem, (fs) => openLocalStore(fs, resolve(options.root ?? defaultRoot()))),
    );
}
