import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type { Events } from "#lib/platform/events.ts";
import type { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { Store } from "#lib/store/store.ts";
import { host } from "./evaluation.ts";
import { progressEvents, type ProgressFlags } from "./progress.ts";

/** Runs a command that reads, or tends, the store, and builds nothing. */
export const withStore = <A, E>(
  flags: ProgressFlags,
  command: Effect.Effect<A, E, Store | FileSystem | Processes | Events>,
) =>
  Effect.gen(function* () {
    const base = Layer.mergeAll(host, yield* progressEvents(flags));
    return yield* Effect.provide(command, Layer.provideMerge(Store.layer(), base));
  }).pipe(Effect.scoped);
