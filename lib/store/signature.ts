import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { formatBase32 } from "#lib/derivations/hash.ts";
import type { PathInfo } from "./path-info.ts";

/** Signs for whoever owns the name. */
export interface SecretKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** Vouches for what its owner signed. */
export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** A key that is not `<name>:<base64>` of the right length, or a name that none can have. */
export class KeySyntaxError extends Error {
  readonly _tag = "KeySyntaxError";

  constructor(kind: "secret" | "public" | "name") {
    const size = kind === "secret" ? 64 : 32;
    super(
      kind === "name"
        ? "a key's name consists of letters, digits and the characters . _ + -, as in cache.example.org-1."
        : `this is no ${kind} key: it should be '<name>:<base64 of ${size} bytes>'. Make one with \`store generate-key <name>\`.`,
    );
  }
}

/** What precedes the 32 bytes of an ed25519 key in the forms that node:crypto reads (RFC 8410). */
const secretPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** Reads a secret key in Nix's form: name, colon, base64 of 32 secret and 32 public bytes. */
export function parseSecretKey(text: string): SecretKey {
  const { name, bytes } = split(text, "secret", 64);
  const der = Buffer.concat([secretPrefix, bytes.subarray(0, 32)]);
  return { name, key: createPrivateKey({ key: der, format: "der", type: "pkcs8" }) };
}

/** Reads a public key in Nix's form: name, colon, base64 of 32 bytes. */
export function parsePublicKey(text: string): PublicKey {
  const { name, bytes } = split(text, "public", 32);
  const der = Buffer.concat([publicPrefix, bytes]);
  return { name, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

function split(
  text: string,
  kind: "secret" | "public",
  size: number,
): { readonly name: string; readonly bytes: Buffer } {
  const [, name, base64] = /^([^\s:]+):([A-Za-z0-9+/]+=*)\s*$/.exec(text) ?? [];
  const bytes = Buffer.from(base64 ?? "", "base64");
  if (name === undefined || bytes.length !== size) throw new KeySyntaxError(kind);
  return { name, bytes };
}

/** Makes a pair of keys in Nix's form. */
export function generateKeyPair(name: string): { readonly secret: string; readonly public: string } {
  if (!/^[0-9A-Za-z][0-9A-Za-z._+-]*$/.test(name)) throw new KeySyntaxError("name");
  const pair = generateKeyPairSync("ed25519");
  const secret = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(secretPrefix.length);
  const open = pair.publicKey.export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  return {
    secret: `${name}:${Buffer.concat([secret, open]).toString("base64")}`,
    public: `${name}:${open.toString("base64")}`,
  };
}

/** What a signature of a path signs: all that matters of it. */
export function pathFingerprint(info: Pick<PathInfo, "path" | "narHash" | "narSize" | "references">): string {
  const references = [...info.references].sort().join(",");
  return `1;${info.path};${formatBase32(info.narHash)};${info.narSize};${references}`;
}

/** `<key name>:<base64>` */
export function signText(text: string, { name, key }: SecretKey): string {
  return `${name}:${sign(null, Buffer.from(text), key).toString("base64")}`;
}

/** The name of the owner that a signature claims. */
export const signerOf = (signature: string): string => signature.replace(/:.*$/s, "");

/** The name of the first trusted key that one of the signatures is good for; undefined if there is none. */
export function signedBy(
  text: string,
  signatures: readonly string[],
  trusted: readonly PublicKey[],
): string | undefined {
  for (const signature of signatures) {
    const colon = signature.indexOf(":");
    const bytes = Buffer.from(signature.slice(colon + 1), "base64");
    for (const { name, key } of trusted) {
      if (name === signature.slice(0, Math.max(colon, 0)) && verify(null, Buffer.from(text), key, bytes)) return name;
    }
  }
  return undefined;
}
