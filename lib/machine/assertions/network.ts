import * as Effect from "effect/Effect";
import { mismatch, type Assertion } from "../assertion.ts";
import type { InterfaceAssertion, SshAssertion } from "../assertion-data.ts";

/** An interface as `ip -json address` shows it, as far as it matters here. */
export interface Interface {
  readonly name: string;
  readonly up: boolean;
  /** With prefix lengths, global scope only. */
  readonly addresses: readonly string[];
}

export function parseInterfaces(text: string): Interface[] {
  const list: unknown = JSON.parse(text);
  return records(list).map((link) => ({
    name: String(link["ifname"]),
    up: Array.isArray(link["flags"]) && link["flags"].includes("LOWER_UP"),
    addresses: records(link["addr_info"])
      .filter((address) => address["scope"] === "global")
      .map((address) => `${String(address["local"])}/${String(address["prefixlen"])}`),
  }));
}

function records(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Record<string, unknown> => typeof item === "object" && item !== null);
}

/** An interface gets its address some time after the boot has ended, so the guest is asked again for a while. */
export function networkInterface({ name, address }: InterfaceAssertion): Assertion {
  const wanted = `${name ?? "a network interface"} ${address === undefined ? "with an address" : `with ${address}`}`;
  const fits = (link: Interface): boolean =>
    (name === undefined ? link.name !== "lo" : link.name === name) &&
    link.up &&
    (address === undefined ? link.addresses.length > 0 : link.addresses.includes(address));
  return {
    description: `${wanted} is up`,
    run: Effect.fnUntraced(function* (machine) {
      const end = performance.now() + machine.seconds(30) * 1000;
      for (;;) {
        const interfaces = parseInterfaces(yield* machine.succeed("ip -json address show"));
        if (interfaces.some(fits)) return;
        if (performance.now() >= end) {
          const found = interfaces.map(
            (link) => `${link.name} (${link.up ? "up" : "down"}; ${link.addresses.join(", ") || "no address"})`,
          );
          return yield* mismatch(wanted, found.join(", "));
        }
        yield* Effect.sleep(1000);
      }
    }),
  };
}

/** Reads the server's banner within the guest. bash opens the connection, so no client need be installed. */
export function sshServer({ port = 22 }: SshAssertion): Assertion {
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port} && IFS= read -r -t 20 banner <&3 && printf '%s\\n' "$banner"`;
  return {
    description: `an ssh server answers on port ${port}`,
    run: Effect.fnUntraced(function* (machine) {
      const banner = yield* machine.waitUntilSucceeds(`bash -c '${script.replaceAll("'", `'\\''`)}'`);
      if (!/^SSH-2\.0-\S/.test(banner)) return yield* mismatch("a banner of SSH 2.0", JSON.stringify(banner.trimEnd()));
    }),
  };
}
