/**
 * Nix's base-32: the digits of a little-endian number, most significant first.
 * The letters e, o, u and t are left out.
 */
const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";

const digitOf: ReadonlyMap<string, number> = new Map([...alphabet].map((character, digit) => [character, digit]));

/** How many characters `bytes` bytes take. */
export function base32Length(bytes: number): number {
  return Math.ceil((bytes * 8) / 5);
}

/** The text of every ten bits: instantiating a large graph writes many digests. */
const pairs: readonly string[] = Array.from(
  { length: 1024 },
  (_, value) => alphabet.charAt(value >> 5) + alphabet.charAt(value & 31),
);

/** Writes bytes in Nix's base-32. */
export function encodeBase32(bytes: Uint8Array): string {
  // Eight digits are five bytes; what is left over stands at the top, and so comes first.
  const whole = bytes.length - (bytes.length % 5);
  const bits = whole * 8;
  let text = "";
  for (let position = base32Length(bytes.length - whole); position-- > 0; ) {
    text += alphabet.charAt(bitsAt(bytes, bits + position * 5) & 31);
  }
  for (let at = whole - 5; at >= 0; at -= 5) {
    const middle = bytes[at + 2] ?? 0;
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((middle & 15) << 16);
    const high = (middle >> 4) | ((bytes[at + 3] ?? 0) << 4) | ((bytes[at + 4] ?? 0) << 12);
    text += `${pairs[high >> 10]}${pairs[high & 1023]}${pairs[low >> 10]}${pairs[low & 1023]}`;
  }
  return text;
}

/** At least five bits of a little-endian number, from bit `bit` upwards. */
function bitsAt(bytes: Uint8Array, bit: number): number {
  const index = bit >> 3;
  const word = (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8);
  return word >> (bit & 7);
}

/** Reads `size` bytes of Nix's base-32; undefined if the text is not exactly that. */
export function decodeBase32(text: string, size: number): Uint8Array | undefined {
  if (text.length !== base32Length(size)) return undefined;
  const bytes = new Uint8Array(size);
  for (let position = 0; position < text.length; position++) {
    const digit = digitOf.get(text.charAt(text.length - 1 - position));
    if (digit === undefined) return undefined;
    const bit = position * 5;
    const index = bit >> 3;
    const shifted = digit << (bit & 7);
    bytes[index] = (bytes[index] ?? 0) | (shifted & 0xff);
    const carry = shifted >> 8;
    if (carry === 0) continue;
    // The unused bits of the first character must be zero, or two texts would mean the same bytes.
    if (index + 1 >= size) return undefined;
    bytes[index + 1] = (bytes[index + 1] ?? 0) | carry;
  }
  return bytes;
}
