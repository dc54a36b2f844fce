import * as Effect from "effect/Effect";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { type BuildOptions, type CompleteOptions, completeOptions } from "./options.ts";
import { isolation } from "./sandbox/arguments.ts";
import { Bubblewrap, type SandboxUnavailable } from "./sandbox/bubblewrap.ts";
import { type Launcher, makeLauncher } from "./sandbox/launcher.ts";
import { probe } from "./sandbox/probe.ts";
import type { Substituter, SubstitutionServices } from "./substituter.ts";

/** What the builds of one call share. */
export interface Session {
  readonly options: CompleteOptions;
  /** Outputs known so far, by original derivation; grows. */
  readonly outputs: Map<DerivationPath, ReadonlyMap<string, StorePath>>;
  /** How sandboxes are started, found out and tried once: whoever builds first pays the 20 ms. */
  readonly sandbox: Effect.Effect<Launcher, SandboxUnavailable>;
  /** The caches to ask before building, opened when first needed; undefined if there are none. */
  readonly substituter: Effect.Effect<Substituter | undefined, never, SubstitutionServices>;
  /** Copies a source or a text into the store, if it is one of this evaluation's. */
  readonly addInput: (path: StorePath) => Effect.Effect<void, StoreError>;
}

/** A session that knows some outputs already. */
export const makeSession = Effect.fnUntraced(function* (
  options: BuildOptions,
  outputs: ReadonlyMap<DerivationPath, ReadonlyMap<string, StorePath>> = new Map(),
  addInput: Session["addInput"] = () => Effect.void,
): Effect.fn.Return<Session, never, Bubblewrap | FileSystem | Processes> {
  const bubblewrap = yield* Bubblewrap;
  const context = yield* Effect.context<FileSystem | Processes>();
  const fs = yield* FileSystem;
  const tried = bubblewrap.locate.pipe(
    Effect.tap((command) => probe(command, isolation)),
    Effect.flatMap((command) => Effect.promise(() => makeLauncher(fs, command))),
  );
  const { substitution } = options;
  const opened = Effect.suspend(() =>
    substitution === undefined || substitution.caches.length === 0
      ? Effect.succeed(undefined)
      : Effect.flatMap(
          Effect.promise(() => import("./substituter.ts")),
          ({ openSubstituter }) => openSubstituter(substitution),
        ),
  );
  return {
    options: completeOptions(options),
    substituter: yield* Effect.cached(opened),
    outputs: new Map(outputs),
    sandbox: yield* Effect.cached(Effect.provideContext(tried, context)),
    addInput,
  };
});
