import { decodeBase32, encodeBase32 } from "./base32.ts";
import { StorePathError } from "./errors.ts";
import { type Hash, hashBytes, sha256Bytes, sha256Hex } from "./hash.ts";

declare const storePathBrand: unique symbol;
declare const derivationPathBrand: unique symbol;

/** The logical store directory. It is part of every fingerprint, so it is the same on every machine. */
export const storeDirectory = "/nix/store";

/** `/nix/store/<32 base-32 characters>-<name>` */
export type StorePath = string & { readonly [storePathBrand]: "StorePath" };

/** The store path of a `.drv` file. */
export type DerivationPath = StorePath & { readonly [derivationPathBrand]: "DerivationPath" };

/** Characters of the hash part of a store path. */
export const hashPartLength = 32;

/** Characters that the name of a store object has at most. */
export const longestName = 211;

/** What is wrong with `name` as the name of a store object, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > longestName) return `has ${name.length} characters; a name has at most ${longestName}`;
  if (!/^[0-9A-Za-z+\-._?=]*$/.test(name)) return "has characters other than A-Z a-z 0-9 + - . _ ? =";
  if (/^\.\.?(-|$)/.test(name)) return "is a dot name, or starts with one and a dash";
  return undefined;
}

function checkedName(name: string): string {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new StorePathError(name, `cannot name a store object: it ${problem}`);
  return name;
}

/**
 * Reads a store path.
 *
 * @throws StorePathError if it is not directly in the store directory or breaks a rule for names
 */
export function parseStorePath(text: string, directory: string = storeDirectory): StorePath {
  if (!text.startsWith(`${directory}/`)) throw new StorePathError(text, `is not in the store directory ${directory}`);
  const base = text.slice(directory.length + 1);
  if (base.charAt(hashPartLength) !== "-" || decodeBase32(base.slice(0, hashPartLength), 20) === undefined) {
    throw new StorePathError(text, "is not a store path: no 32 base-32 characters and a dash before the name");
  }
  const problem = nameProblem(base.slice(hashPartLength + 1));
  if (problem !== undefined) throw new StorePathError(text, `is not a store path: its name ${problem}`);
  return text as StorePath;
}

/** Whether `text` is a store path; false for paths inside one. */
export function isStorePath(text: string): text is StorePath {
  try {
    parseStorePath(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads the store path of a derivation. */
export function parseDerivationPath(text: string, directory: string = storeDirectory): DerivationPath {
  const path = parseStorePath(text, directory);
  if (!path.endsWith(".drv")) throw new StorePathError(text, "is not a derivation: its name does not end in .drv");
  return path as DerivationPath;
}

/** The store path that `text` is or lies below, for example of `/nix/store/<hash>-hello/bin/hello`. */
export function enclosingStorePath(text: string, directory: string = storeDirectory): StorePath {
  const end = text.indexOf("/", directory.length + 1);
  return parseStorePath(end < 0 ? text : text.slice(0, end), directory);
}

/** `<hash>-<name>`, the file name in the store directory. */
export function baseName(path: StorePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The 32 base-32 characters. References are found by them. */
export function hashPart(path: StorePath): string {
  return baseName(path).slice(0, hashPartLength);
}

/** What follows the hash part and the dash. */
export function storePathName(path: StorePath): string {
  return baseName(path).slice(hashPartLength + 1);
}

/** The name of a derivation, without `.drv`. */
export function derivationName(path: DerivationPath): string {
  return storePathName(path).slice(0, -".drv".length);
}

/**
 * A store path from its fingerprint `<type>:sha256:<hex>:<store>:<name>`.
 *
 * @param type what is addressed, with references where they count
 * @param hex inner SHA-256, in hexadecimal
 */
export function makeStorePath(type: string, hex: string, name: string, directory: string = storeDirectory): StorePath {
  const fingerprint = `${type}:sha256:${hex}:${directory}:${checkedName(name)}`;
  return `${directory}/${encodeBase32(fold(sha256Bytes(fingerprint), 20))}-${name}` as StorePath;
}

/** XORs a digest down to `size` bytes. */
function fold(digest: Uint8Array, size: number): Uint8Array {
  const folded = new Uint8Array(size);
  for (let index = 0; index < digest.length; index++) {
    folded[index % size] = (folded[index % size] ?? 0) ^ (digest[index] ?? 0);
  }
  return folded;
}

/** The path of a text object (Nix's `toFile`, and every `.drv`). `contentHash` is the SHA-256 of the text. */
export function textPath(
  name: string,
  contentHash: Hash,
  references: Iterable<string>,
  directory: string = storeDirectory,
): StorePath {
  return makeStorePath(["text", ...[...references].sort()].join(":"), contentHash.hex, name, directory);
}

/** The path of a tree addressed by the SHA-256 of its NAR: a source, or an output of a floating derivation. */
export function sourceStorePath(
  name: string,
  narHash: Hash,
  references: Iterable<string> = [],
  directory: string = storeDirectory,
): StorePath {
  return makeStorePath(["source", ...[...references].sort()].join(":"), narHash.hex, name, directory);
}

/** How the content of a fixed output is hashed: the bytes of one file, or the NAR of a tree. */
export type HashMode = "flat" | "recursive";

/** `sha256` or `r:sha256`, as derivations write it. */
export function methodAlgorithm(mode: HashMode, algorithm: string): string {
  return mode === "recursive" ? `r:${algorithm}` : algorithm;
}

/** The path of content with a known hash: the output of a fixed-output derivation. */
export function fixedOutputPath(
  name: string,
  mode: HashMode,
  hash: Hash,
  directory: string = storeDirectory,
): StorePath {
  if (mode === "recursive" && hash.algorithm === "sha256") return sourceStorePath(name, hash, [], directory);
  const method = methodAlgorithm(mode, hash.algorithm);
  return makeStorePath("output:out", sha256Hex(`fixed:out:${method}:${hash.hex}:`), name, directory);
}

/** The path of an output of an input-addressed derivation; `hex` is the masked hash of the derivation. */
export function inputAddressedPath(
  name: string,
  output: string,
  hex: string,
  directory: string = storeDirectory,
): StorePath {
  return makeStorePath(`output:${output}`, hex, outputPathName(name, output), directory);
}

/** The name in an output's path: the derivation's, and `-<output>` unless that is `out`. */
export function outputPathName(name: string, output: string): string {
  return output === "out" ? name : `${name}-${output}`;
}

/** The content address as path infos and narinfos write it: `text:sha256:…`, `fixed:sha256:…`, `fixed:r:sha256:…`. */
export function contentAddress(kind: "text" | HashMode, hash: Hash): string {
  const digits = encodeBase32(hashBytes(hash));
  if (kind === "text") return `text:${hash.algorithm}:${digits}`;
  return `fixed:${methodAlgorithm(kind, hash.algorithm)}:${digits}`;
}
