import { relative } from "node:path";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import type { BuildFlags } from "../flags.ts";

/**
 * The command that builds a derivation of the store again, under the same limits: it works where, and with the store
 * with which, this one was given.
 */
export function replayCommand(
  flake: LocatedFlake,
  { cores, timeout, maxSilentTime, maxMemory }: Pick<BuildFlags, "cores" | "timeout" | "maxSilentTime" | "maxMemory">,
): (derivation: string) => string {
  const { HELIOS_STORE: store } = process.env;
  const place = relative(process.cwd(), `${flake.directory}/flake.ts`);
  const variables = store === undefined || store === "" ? "" : `HELIOS_STORE=${quote(store)} `;
  const flags = Object.entries({ cores, timeout, "max-silent-time": maxSilentTime, "max-memory": maxMemory })
    .map(([name, value]) => (value === undefined ? "" : ` --${name} ${value}`))
    .join("");
  return (derivation) => `${variables}npx tsx ${quote(place)} build ${derivation} --keep-failed${flags}`;
}

/** A word for the shell. */
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
