import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Result from "effect/Result";
import { build } from "#lib/build/build.ts";
import { standardBuiltins } from "#lib/build/builtins/standard.ts";
import { Bubblewrap, installRemedy, SandboxUnavailable } from "#lib/build/sandbox/bubblewrap.ts";
import { Network } from "#lib/fetchers/network.ts";
import { evaluateLocked } from "#lib/flake/evaluate.ts";
import type { LockPolicy } from "#lib/flake/outputs.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { hostProxies, mirrorsLayer } from "#lib/flake/mirrors.ts";
import type { Events } from "#lib/platform/events.ts";
import { Store } from "#lib/store/store.ts";
import { bubblewrapCommand, bubblewrapRequest } from "#pkgs/bubblewrap.ts";
import { environment } from "#pkgs/environments.ts";
import { host } from "./evaluation.ts";
import { progressEvents, type ProgressFlags } from "./progress.ts";

/** Runs a command with the whole engine: store, network, sandbox, and progress on stderr. */
export const withEngine = <A, E>(
  flake: LocatedFlake,
  flags: LockPolicy & ProgressFlags,
  command: Effect.Effect<A, E, EngineServices>,
) =>
  Effect.gen(function* () {
    return yield* Effect.provide(command, engine(flake, { locked: flags.locked }, yield* progressEvents(flags)));
  }).pipe(Effect.scoped);

/** Everything that commands may use. */
export type EngineServices = Layer.Success<ReturnType<typeof engine>>;

function engine(flake: LocatedFlake, policy: LockPolicy, events: Layer.Layer<Events>) {
  const base = Layer.mergeAll(host, events);
  const store = Store.layer();
  const network = Layer.unwrap(Effect.map(hostProxies(), (proxy) => Network.layer({ proxy })));
  const builtins = Layer.unwrap(Effect.map(Store, ({ layout }) => standardBuiltins({ partial: layout.partial })));
  const fetching = builtins.pipe(Layer.provide(Layer.mergeAll(network, mirrorsLayer(flake.inputs.debian))));
  const sandbox = Bubblewrap.withFallback(pinnedBubblewrap(flake, policy));
  return sandbox.pipe(Layer.provideMerge(fetching), Layer.provideMerge(store), Layer.provideMerge(base));
}

/** The bubblewrap of the lock file, unpacked into the store without a sandbox. */
const pinnedBubblewrap = Effect.fnUntraced(
  function* (flake: LocatedFlake, policy: LockPolicy) {
    const store = yield* Store;
    const { value: root } = yield* evaluateLocked(flake, policy, (lock) =>
      Result.succeed(environment(bubblewrapRequest, lock)),
    );
    // Builtin builders alone make it, so this sandbox is never asked for.
    const { outputs } = yield* Effect.provide(
      build([root]),
      Layer.succeed(Bubblewrap, { locate: Effect.die("bubblewrap is built in a sandbox") }),
    );
    const path = outputs.get(root)?.get("out");
    if (path === undefined) return yield* Effect.die(new TypeError("bubblewrap has no output"));
    return bubblewrapCommand(store.physical(path));
  },
  Effect.mapError(
    (cause: { readonly message: string }) =>
      new SandboxUnavailable({
        reason: `bubblewrap ('bwrap') is not on the PATH, and the pinned one could not be had: ${cause.message.replace(/\.$/, "")}`,
        remedy: installRemedy,
        cause,
      }),
  ),
);
