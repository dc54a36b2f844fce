import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Semaphore from "effect/Semaphore";
import { HttpClient } from "./http.ts";
import { noProxies } from "./proxies.ts";
import type { ProxyRule } from "./proxies.ts";

/** How the network is used. */
export interface NetworkSettings {
  readonly proxy: ProxyRule;
  /** Downloads at a time, over all hosts. */
  readonly parallel: number;
  /** How often the list of URLs is gone through before giving up. */
  readonly rounds: number;
  /** The pause after the first round; each later one is twice as long. */
  readonly backoffMilliseconds: number;
  /** How long a server may say nothing. */
  readonly silenceMilliseconds: number;
  /** The most bytes of a file whose size is not known beforehand: a server that never ends must not fill the disk. */
  readonly byteLimit: number;
}

const defaultNetworkSettings: NetworkSettings = {
  proxy: noProxies,
  parallel: 8,
  rounds: 4,
  backoffMilliseconds: 500,
  silenceMilliseconds: 30_000,
  byteLimit: 8 * 1024 ** 3,
};

/** Access to the network, shared by all downloads of a process: connections, the limit on parallel ones, settings. */
export class Network extends Context.Service<
  Network,
  {
    readonly settings: NetworkSettings;
    readonly http: HttpClient;
    readonly permits: Semaphore.Semaphore;
    /** Servers that could not be connected to; they are tried last from then on. */
    readonly unreachable: Set<string>;
  }
>()("helios/Network") {
  static readonly layer = (settings: Partial<NetworkSettings> = {}): Layer.Layer<Network> =>
    Layer.effect(
      Network,
      Effect.gen(function* () {
        const complete = { ...defaultNetworkSettings, ...settings };
        const http = yield* Effect.acquireRelease(
          Effect.sync(() => new HttpClient(complete.proxy, complete.silenceMilliseconds, complete.parallel)),
          (client) => Effect.sync(() => client.close()),
        );
        const permits = yield* Semaphore.make(complete.parallel);
        return { settings: complete, http, permits, unreachable: new Set<string>() };
      }),
    );
}
