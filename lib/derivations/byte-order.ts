/**
 * Compares two strings by the bytes of their UTF-8 form, the order of every Nix format.
 *
 * It differs from `<` only where one string has a character above U+FFFF and the
 * other one from U+E000 to U+FFFF, because surrogates sort below the latter.
 */
export function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Moves the surrogates above all other code units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
