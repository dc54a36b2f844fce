import type { RealisationKey } from "#lib/derivations/hash-modulo.ts";
import { baseName, parseStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";

/** Which path an output of a floating derivation became. */
export interface Realisation {
  readonly key: RealisationKey;
  readonly path: StorePath;
  /**
   * What Nix writes down beside it: the realisations of what this output refers to. We have no use for it, but whoever
   * signed the realisation signed this too.
   */
  readonly dependencies?: ReadonlyMap<RealisationKey, StorePath>;
}

/** Reads `sha256:<64 hexadecimal digits>!<output>`; undefined if it is not that. */
function parseRealisationKey(text: string): RealisationKey | undefined {
  return /^sha256:[0-9a-f]{64}![0-9A-Za-z+\-._?=]+$/.test(text) ? (text as RealisationKey) : undefined;
}

/** The file name of a realisation in the store's state. */
export function realisationFile(key: RealisationKey): string {
  return `${key.slice("sha256:".length)}.json`;
}

/** Prints a realisation in Nix's form, without signatures: a store trusts itself. */
export function printRealisation(realisation: Realisation): string {
  return printSignedRealisation(realisation, []);
}

/** Prints a realisation with those who vouch for it, as caches have it. */
export function printSignedRealisation(realisation: Realisation, signatures: readonly string[]): string {
  return `${JSON.stringify({ ...fieldsOf(realisation), signatures })}\n`;
}

/** What a signature of a realisation signs. */
export function realisationFingerprint(realisation: Realisation): string {
  return JSON.stringify(fieldsOf(realisation));
}

/** The fields in the order of their names. */
function fieldsOf({ key, path, dependencies = new Map() }: Realisation): Readonly<Record<string, unknown>> {
  const keys = [...dependencies].sort(([a], [b]) => (a < b ? -1 : 1));
  const dependentRealisations = Object.fromEntries(keys.map(([id, dependency]) => [id, baseName(dependency)]));
  return { dependentRealisations, id: key, outPath: baseName(path) };
}

/** Reads a realisation; undefined if it is damaged, so that the output is built again. */
export function parseRealisation(text: string): Realisation | undefined {
  return parseSignedRealisation(text)?.realisation;
}

/** Reads a realisation and its signatures; undefined if it is damaged. */
export function parseSignedRealisation(
  text: string,
): { readonly realisation: Realisation; readonly signatures: readonly string[] } | undefined {
  try {
    const fields: unknown = JSON.parse(text);
    if (typeof fields !== "object" || fields === null) return undefined;
    const { id, outPath, signatures, dependentRealisations = {} } = fields as Record<string, unknown>;
    const key = typeof id === "string" ? parseRealisationKey(id) : undefined;
    if (key === undefined || typeof outPath !== "string") return undefined;
    const dependencies = parseDependencies(dependentRealisations);
    if (dependencies === undefined) return undefined;
    return {
      realisation: {
        key,
        path: parseStorePath(`${storeDirectory}/${outPath}`),
        ...(dependencies.size > 0 && { dependencies }),
      },
      signatures: Array.isArray(signatures) ? signatures.filter((item) => typeof item === "string") : [],
    };
  } catch {
    return undefined;
  }
}

/** Reads the realisations that another one depends on; throws for what are no store paths. */
function parseDependencies(fields: unknown): ReadonlyMap<RealisationKey, StorePath> | undefined {
  if (typeof fields !== "object" || fields === null) return undefined;
  const dependencies = new Map<RealisationKey, StorePath>();
  for (const [id, outPath] of Object.entries(fields)) {
    const key = parseRealisationKey(id);
    if (key === undefined || typeof outPath !== "string") return undefined;
    dependencies.set(key, parseStorePath(`${storeDirectory}/${outPath}`));
  }
  return dependencies;
}
