import { sha256 } from "#lib/derivations/hash.ts";

/**
 * A UUID (version 8 of RFC 9562: by the maker's own rule) that follows from a
 * name: a random one would make every image another one.
 */
export function uuidOf(name: string): string {
  const hex = sha256(name).hex.slice(0, 32);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join("-");
}

/** 32 bits in hexadecimal, for FAT volumes and MBR disks. Never zero, which means "none". */
export function serialOf(name: string): string {
  const hex = sha256(name).hex.slice(0, 8);
  return hex === "00000000" ? "00000001" : hex;
}
