import { formatBase32, type Hash, parseHash } from "#lib/derivations/hash.ts";
import {
  baseName,
  hashPart,
  parseDerivationPath,
  parseStorePath,
  type StorePath,
  storeDirectory,
} from "#lib/derivations/store-path.ts";
import { reasonOf } from "#lib/platform/reason.ts";
import type { PathInfo } from "../path-info.ts";

/** What a cache says of a path, and where its archive is. */
export interface NarInfo {
  readonly info: PathInfo;
  /** Relative to the cache. */
  readonly url: string;
  /** `none`, `xz`, `zstd`, `gzip` …; what is not known here is refused when it is used. */
  readonly compression: string;
  /** Of the compressed archive. */
  readonly fileHash?: Hash;
  readonly fileSize?: number;
}

/** The name that a path's narinfo has in a cache. */
export function narInfoFile(path: StorePath): string {
  return `${hashPart(path)}.narinfo`;
}

/** Prints a narinfo: one field a line, in Nix's order. */
export function printNarInfo({ info, url, compression, fileHash, fileSize }: NarInfo): string {
  const lines = [
    `StorePath: ${info.path}`,
    `URL: ${url}`,
    `Compression: ${compression}`,
    ...(fileHash === undefined ? [] : [`FileHash: ${formatBase32(fileHash)}`]),
    ...(fileSize === undefined ? [] : [`FileSize: ${fileSize}`]),
    `NarHash: ${formatBase32(info.narHash)}`,
    `NarSize: ${info.narSize}`,
    `References: ${info.references.map(baseName).join(" ")}`,
    ...(info.deriver === undefined ? [] : [`Deriver: ${baseName(info.deriver)}`]),
    ...(info.signatures ?? []).map((signature) => `Sig: ${signature}`),
    ...(info.contentAddress === undefined ? [] : [`CA: ${info.contentAddress}`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The narinfo with signatures added to its own, sorted; fields that are unknown here stay. */
export function signNarInfo(text: string, signatures: readonly string[]): string {
  // An empty field ends in a space, which is a part of it.
  const lines = text.replace(/\n+$/, "").split("\n");
  const isSignature = (line: string): boolean => line.startsWith("Sig: ");
  const all = new Set([...lines.filter(isSignature), ...signatures.map((signature) => `Sig: ${signature}`)]);
  const others = lines.filter((line) => !isSignature(line));
  const end = others.findIndex((line) => line.startsWith("CA: "));
  others.splice(end < 0 ? others.length : end, 0, ...[...all].sort());
  return `${others.join("\n")}\n`;
}

/** Why a text is not a narinfo. */
export class NarInfoSyntaxError extends Error {
  readonly _tag = "NarInfoSyntaxError";
}

/**
 * Reads a narinfo. Unknown fields are left out, as Nix does.
 *
 * @throws NarInfoSyntaxError
 */
export function parseNarInfo(text: string): NarInfo {
  const fields = new Map<string, string>();
  const signatures: string[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const colon = line.indexOf(": ");
    if (colon < 0) throw new NarInfoSyntaxError(`the line '${line.slice(0, 60)}' is no field`);
    const name = line.slice(0, colon);
    const value = line.slice(colon + 2);
    if (name === "Sig") signatures.push(value);
    else if (fields.has(name)) throw new NarInfoSyntaxError(`the field ${name} is there twice`);
    else fields.set(name, value);
  }
  const required = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) throw new NarInfoSyntaxError(`the field ${name} is missing`);
    return value;
  };
  const deriver = fields.get("Deriver");
  const contentAddress = fields.get("CA");
  const fileHash = fields.get("FileHash");
  const fileSize = fields.get("FileSize");
  try {
    return {
      info: {
        path: parseStorePath(required("StorePath")),
        narHash: parseHash(required("NarHash"), "sha256"),
        narSize: size("NarSize", required("NarSize")),
        references: required("References")
          .split(" ")
          .filter((name) => name !== "")
          .map((name) => parseStorePath(`${storeDirectory}/${name}`))
          .sort(),
        ...(deriver !== undefined &&
          deriver !== "unknown-deriver" && { deriver: parseDerivationPath(`${storeDirectory}/${deriver}`) }),
        ...(contentAddress !== undefined && { contentAddress }),
        ...(signatures.length > 0 && { signatures }),
      },
      url: url(required("URL")),
      compression: fields.get("Compression") ?? "bzip2",
      ...(fileHash !== undefined && { fileHash: parseHash(fileHash, "sha256") }),
      ...(fileSize !== undefined && { fileSize: size("FileSize", fileSize) }),
    };
  } catch (cause) {
    throw cause instanceof NarInfoSyntaxError ? cause : new NarInfoSyntaxError(reasonOf(cause));
  }
}

function size(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw new NarInfoSyntaxError(`${name} is '${text.slice(0, 30)}'`);
  }
  return value;
}

/** The archive has to be a file of the same cache. */
function url(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9+\-._?=%]*(\/[A-Za-z0-9][A-Za-z0-9+\-._?=%]*)*$/.test(text)) {
    throw new NarInfoSyntaxError(`URL '${text.slice(0, 60)}' leads out of the cache`);
  }
  return text;
}
