import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { build } from "#lib/build/build.ts";
import type { InstantiatedSources } from "#lib/build/built-already.ts";
import { Builtins } from "#lib/build/builtin.ts";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { Store } from "#lib/store/store.ts";

/** The environment variable with the `BubblewrapCommand` to use, as JSON; without it, `bwrap` is looked for. */
export const bubblewrapVariable = "BENCH_BUBBLEWRAP";

/** Builds with the whole engine, two at a time. */
export async function buildAll(
  root: string,
  roots: readonly Derivation[],
  instantiated: InstantiatedSources,
): Promise<void> {
  const chosen = process.env[bubblewrapVariable];
  const services = Layer.mergeAll(
    Store.layer({ root }),
    Processes.layer,
    Events.silent,
    Builtins.layer([]),
    chosen === undefined ? Bubblewrap.layer : Layer.succeed(Bubblewrap, { locate: Effect.succeed(JSON.parse(chosen)) }),
  ).pipe(Layer.provideMerge(FileSystem.layer));
  await Effect.runPromise(Effect.provide(build(roots, { jobs: 2 }, instantiated), services));
}
