import { relative } from "node:path";
import type { LocatedFlake } from "#lib/flake/flake.ts";

/** The command that builds a derivation of the store again: it works where, and with the store with which, this one was given. */
export function replayCommand(flake: LocatedFlake): (derivation: string) => string {
  const { HELIOS_STORE: store } = process.env;
  const place = relative(process.cwd(), `${flake.directory}/flake.ts`);
  const variables = store === undefined || store === "" ? "" : `HELIOS_STORE=${quote(store)} `;
  return (derivation) => `${variables}npx tsx ${quote(place)} build ${derivation} --keep-failed`;
}

/** A word for the shell. */
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
