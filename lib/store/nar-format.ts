/** The strings of a NAR: eight bytes of little-endian length, the bytes, zeros up to a multiple of eight. */
export function narString(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.alloc(8 + padded(length));
  bytes.writeUInt32LE(length);
  bytes.write(text, 8);
  return bytes;
}

/** `length` rounded up to a multiple of eight. */
export function padded(length: number): number {
  return length + (-length & 7);
}

const join = (...texts: string[]): Buffer => Buffer.concat(texts.map(narString));

/** The runs of strings that a NAR is made of. */
export const narTokens = {
  magic: join("nix-archive-1"),
  regular: join("(", "type", "regular", "contents"),
  executable: join("(", "type", "regular", "executable", "", "contents"),
  symlink: join("(", "type", "symlink", "target"),
  directory: join("(", "type", "directory"),
  entry: join("entry", "(", "name"),
  node: join("node"),
  close: join(")"),
} as const;
