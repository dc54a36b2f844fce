import * as Effect from "effect/Effect";
import { resolve } from "node:path";
import { run } from "#lib/platform/processes.ts";

/** What is taken over from the host's own apt configuration: where its sources are, and how it reaches the network. */
export interface HostApt {
  /** Absolute path of `sources.list`. */
  readonly sourceList: string;
  /** Absolute path of the directory of `*.list` and `*.sources` files. */
  readonly sourceParts: string;
  /** Proxies, TLS and freshness settings, as `[key, value]` in the order of the configuration. */
  readonly network: readonly (readonly [key: string, value: string])[];
}

/** Settings without which the network that the host's administrator has set up may not be reached. */
const networkSetting = /^Acquire::(?:https?::|Retries$|ForceIPv[46]$|Check-Valid-Until$|Check-Date$|Max-FutureTime$)/i;

/** apt's own defaults, for a host whose `apt-config` cannot be run. */
const withoutApt: HostApt = {
  sourceList: "/etc/apt/sources.list",
  sourceParts: "/etc/apt/sources.list.d",
  network: [],
};

/** The variables of the host's environment that reach programs which use the network. */
export function networkEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
  const result: Record<string, string> = {
    PATH: `${environment["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
    LC_ALL: "C.UTF-8",
  };
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}

/** Reads the host's apt configuration with `apt-config dump`. */
export const readHostApt = Effect.fnUntraced(function* (environment: NodeJS.ProcessEnv) {
  const finished = yield* run({
    command: "apt-config",
    args: ["dump"],
    env: {
      ...networkEnvironment(environment),
      ...(environment["APT_CONFIG"] === undefined ? {} : { APT_CONFIG: environment["APT_CONFIG"] }),
    },
  }).pipe(Effect.catchTag("SpawnError", () => Effect.succeed(undefined)));
  return finished?.code === 0 ? parseAptConfig(finished.stdout) : withoutApt;
});

/** Parses the output of `apt-config dump`. */
export function parseAptConfig(dump: string): HostApt {
  const settings = dump.split("\n").flatMap((line) => {
    const match = /^([^\s"]+) "(.*)";$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const];
  });
  const values = new Map(settings.map(([key, value]) => [key.toLowerCase(), value]));
  const etc = resolve(values.get("dir") ?? "/", values.get("dir::etc") ?? "etc/apt");
  return {
    sourceList: resolve(etc, values.get("dir::etc::sourcelist") ?? "sources.list"),
    sourceParts: resolve(etc, values.get("dir::etc::sourceparts") ?? "sources.list.d"),
    network: settings.filter(([key]) => networkSetting.test(key)),
  };
}
