import { createHash, hash as hashOnce } from "node:crypto";
import { base32Length, decodeBase32, encodeBase32 } from "./base32.ts";
import { HashSyntaxError } from "./errors.ts";

export type HashAlgorithm = "md5" | "sha1" | "sha256" | "sha512";

/** A digest. `hex` is lower case and of the algorithm's length. */
export interface Hash {
  readonly algorithm: HashAlgorithm;
  readonly hex: string;
}

/** Bytes in a digest of each algorithm. */
export const digestSizes: Readonly<Record<HashAlgorithm, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 };

/** Whether `text` names an algorithm. */
export function isHashAlgorithm(text: string): text is HashAlgorithm {
  return Object.hasOwn(digestSizes, text);
}

/** The SHA-256 of bytes, or of a text in UTF-8. */
export function sha256(data: string | Uint8Array): Hash {
  return { algorithm: "sha256", hex: sha256Hex(data) };
}

/** As `sha256`, only the 64 hexadecimal digits. */
export function sha256Hex(data: string | Uint8Array): string {
  return hashOnce("sha256", data, "hex");
}

/** As `sha256`, only the 32 bytes. */
export function sha256Bytes(data: string | Uint8Array): Buffer {
  return hashOnce("sha256", data, "buffer");
}

/** The digest of bytes, or of a text in UTF-8. */
export function hashData(algorithm: HashAlgorithm, data: string | Uint8Array): Hash {
  return { algorithm, hex: createHash(algorithm).update(data).digest("hex") };
}

/** The raw digest. */
export function hashBytes(hash: Hash): Buffer {
  return Buffer.from(hash.hex, "hex");
}

/** A hash from its raw digest. */
function hashFromBytes(algorithm: HashAlgorithm, bytes: Uint8Array): Hash {
  return { algorithm, hex: Buffer.from(bytes).toString("hex") };
}

/** `sha256-<base64>`, the form of subresource integrity. */
export function formatSri(hash: Hash): string {
  return `${hash.algorithm}-${hashBytes(hash).toString("base64")}`;
}

/** `sha256:<base-32>`, the form of Nix's own files. */
export function formatBase32(hash: Hash): string {
  return `${hash.algorithm}:${encodeBase32(hashBytes(hash))}`;
}

/** `sha256:<hexadecimal>`. */
export function formatHex(hash: Hash): string {
  return `${hash.algorithm}:${hash.hex}`;
}

/** Whether two hashes are the same. */
export function equalHashes(left: Hash, right: Hash): boolean {
  return left.algorithm === right.algorithm && left.hex === right.hex;
}

/**
 * Reads a hash: `sha256-<base64>` (SRI), or `sha256:` and base-16, base-32 or base-64, told apart by length.
 * With `algorithm`, the prefix may be missing but must not differ.
 *
 * @throws HashSyntaxError
 */
export function parseHash(text: string, algorithm?: HashAlgorithm): Hash {
  const [, prefix, separator, rest] = /^([a-z0-9]+)([-:])(.*)$/s.exec(text) ?? [];
  if (prefix === undefined || separator === undefined || rest === undefined) {
    if (algorithm === undefined) throw new HashSyntaxError(text, "it does not name its algorithm");
    return digest(text, algorithm, text, false);
  }
  if (!isHashAlgorithm(prefix)) throw new HashSyntaxError(text, `'${prefix}' is none of md5, sha1, sha256, sha512`);
  if (algorithm !== undefined && prefix !== algorithm) throw new HashSyntaxError(text, `it should be a ${algorithm}`);
  return digest(text, prefix, rest, separator === "-");
}

function digest(text: string, algorithm: HashAlgorithm, digits: string, sri: boolean): Hash {
  const size = digestSizes[algorithm];
  if (!sri && digits.length === size * 2) {
    if (!/^[0-9a-fA-F]*$/.test(digits)) throw new HashSyntaxError(text, "it has characters that are not hexadecimal");
    return { algorithm, hex: digits.toLowerCase() };
  }
  if (!sri && digits.length === base32Length(size)) {
    const bytes = decodeBase32(digits, size);
    if (bytes === undefined) throw new HashSyntaxError(text, "it has characters that are not base-32");
    return hashFromBytes(algorithm, bytes);
  }
  if (digits.length === Math.ceil(size / 3) * 4) {
    const bytes = Buffer.from(digits, "base64");
    // Writing it again finds stray characters and stray bits, both of which Node's decoder skips.
    if (bytes.toString("base64") !== digits) throw new HashSyntaxError(text, "it has characters that are not base-64");
    return hashFromBytes(algorithm, bytes);
  }
  throw new HashSyntaxError(text, `${digits.length} characters are not the length of a ${algorithm}`);
}
