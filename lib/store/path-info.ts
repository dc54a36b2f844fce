import { formatSri, type Hash, parseHash } from "#lib/derivations/hash.ts";
import {
  type DerivationPath,
  parseDerivationPath,
  parseStorePath,
  type StorePath,
} from "#lib/derivations/store-path.ts";

/** What the store knows of a valid path. */
export interface PathInfo {
  readonly path: StorePath;
  /** SHA-256 of the NAR. */
  readonly narHash: Hash;
  /** Bytes of the NAR. */
  readonly narSize: number;
  /** Sorted; without the path itself. */
  readonly references: readonly StorePath[];
  /** The derivation that it was built by, if it was built. */
  readonly deriver?: DerivationPath;
  /** `text:sha256:…`, `fixed:sha256:…` or `fixed:r:sha256:…`; undefined for input-addressed paths. */
  readonly contentAddress?: string;
  /** `<key name>:<base64>` of those who vouch for it. */
  readonly signatures?: readonly string[];
}

/** Prints the info file of a path: JSON with fixed order. */
export function printPathInfo(info: PathInfo): string {
  const fields = {
    path: info.path,
    narHash: formatSri(info.narHash),
    narSize: info.narSize,
    references: info.references,
    ...(info.deriver !== undefined && { deriver: info.deriver }),
    ...(info.contentAddress !== undefined && { contentAddress: info.contentAddress }),
    ...(info.signatures !== undefined && { signatures: info.signatures }),
  };
  return `${JSON.stringify(fields)}\n`;
}

/** Reads an info file; undefined if it is damaged, which makes the path invalid. */
export function parsePathInfo(text: string): PathInfo | undefined {
  try {
    const fields: unknown = JSON.parse(text);
    if (typeof fields !== "object" || fields === null) return undefined;
    const { path, narHash, narSize, references, deriver, contentAddress, signatures } = fields as Record<
      string,
      unknown
    >;
    if (typeof path !== "string" || typeof narHash !== "string" || !Number.isSafeInteger(narSize)) return undefined;
    if (!isStrings(references)) return undefined;
    return {
      path: parseStorePath(path),
      narHash: parseHash(narHash, "sha256"),
      narSize: Number(narSize),
      references: references.map((reference) => parseStorePath(reference)),
      ...(typeof deriver === "string" && { deriver: parseDerivationPath(deriver) }),
      ...(typeof contentAddress === "string" && { contentAddress }),
      ...(isStrings(signatures) && { signatures }),
    };
  } catch {
    return undefined;
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
