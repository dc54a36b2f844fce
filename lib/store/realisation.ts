import type { RealisationKey } from "#lib/derivations/hash-modulo.ts";
import { baseName, parseStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";

/** Which path an output of a floating derivation became. */
export interface Realisation {
  readonly key: RealisationKey;
  readonly path: StorePath;
}

/** Reads `sha256:<64 hexadecimal digits>!<output>`; undefined if it is not that. */
export function parseRealisationKey(text: string): RealisationKey | undefined {
  return /^sha256:[0-9a-f]{64}![0-9A-Za-z+\-._?=]+$/.test(text) ? (text as RealisationKey) : undefined;
}

/** The file name of a realisation in the store's state. */
export function realisationFile(key: RealisationKey): string {
  return `${key.slice("sha256:".length)}.json`;
}

/** Prints a realisation in Nix's form. */
export function printRealisation(realisation: Realisation): string {
  const fields = {
    dependentRealisations: {},
    id: realisation.key,
    outPath: baseName(realisation.path),
    signatures: [],
  };
  return `${JSON.stringify(fields)}\n`;
}

/** Reads a realisation; undefined if it is damaged, so that the output is built again. */
export function parseRealisation(text: string): Realisation | undefined {
  try {
    const fields: unknown = JSON.parse(text);
    if (typeof fields !== "object" || fields === null) return undefined;
    const { id, outPath } = fields as Record<string, unknown>;
    const key = typeof id === "string" ? parseRealisationKey(id) : undefined;
    if (key === undefined || typeof outPath !== "string") return undefined;
    return { key, path: parseStorePath(`${storeDirectory}/${outPath}`) };
  } catch {
    return undefined;
  }
}
