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

const regular = ["(", "type", "regular", "contents"];
const executable = ["(", "type", "regular", "executable", "", "contents"];

/** The runs of strings that a NAR is made of; longer ones, because a copy costs more than what it copies. */
export const narTokens = {
  magic: join("nix-archive-1"),
  regular: join(...regular),
  executable: join(...executable),
  symlink: join("(", "type", "symlink", "target"),
  directory: join("(", "type", "directory"),
  entry: join("entry", "(", "name"),
  node: join("node"),
  nodeRegular: join("node", ...regular),
  nodeExecutable: join("node", ...executable),
  close: join(")"),
  /** Ends a node and the entry that it is in. */
  closeBoth: join(")", ")"),
} as const;
