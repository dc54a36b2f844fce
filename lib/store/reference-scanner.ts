import { hashPartLength } from "#lib/derivations/store-path.ts";

/** The value of each base-32 character, and 255 for every other byte. */
const digits = new Uint8Array(256).fill(255);
for (const [digit, character] of [..."0123456789abcdfghijklmnpqrsvwxyz"].entries())
  digits[character.charCodeAt(0)] = digit;

/**
 * Searches a stream of bytes for the hash parts of store paths, wherever they are.
 *
 * A place is only looked at when 32 base-32 characters stand there, and the
 * search jumps over everything that rules such places out.
 */
export class ReferenceScanner {
  /** Where each hash part was seen first: bytes from the start of the stream. */
  readonly found = new Map<string, number>();
  readonly #wanted: ReadonlySet<string>;
  /** Marks the first three characters of every wanted hash part, so that few places need a string. */
  readonly #beginnings = new Uint8Array(1 << 15);
  #tail = Buffer.alloc(0);
  #consumed = 0;

  constructor(hashParts: Iterable<string>) {
    this.#wanted = new Set(hashParts);
    for (const part of this.#wanted) this.#beginnings[beginning(Buffer.from(part, "latin1"), 0)] = 1;
  }

  /** Looks at the next part of the stream. */
  update(chunk: Uint8Array): void {
    if (this.#wanted.size === 0) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const overlap = hashPartLength - 1;
    const border = Buffer.concat([this.#tail, bytes.subarray(0, overlap)]);
    this.#search(border, this.#consumed - this.#tail.length);
    this.#search(bytes, this.#consumed);
    const last = bytes.length >= overlap ? bytes : border;
    this.#tail = Buffer.from(last.subarray(Math.max(0, last.length - overlap)));
    this.#consumed += bytes.length;
  }

  #search(bytes: Buffer, offset: number): void {
    const last = bytes.length - hashPartLength;
    let start = 0;
    // Everything from `start` to here is known to be base-32.
    let good = 0;
    while (start <= last) {
      let index = start + hashPartLength - 1;
      while (index >= good && digits[bytes[index] ?? 0] !== 255) index--;
      if (index >= good) {
        start = index + 1;
        good = start;
        continue;
      }
      good = start + hashPartLength;
      if (this.#beginnings[beginning(bytes, start)] === 1) {
        const part = bytes.toString("latin1", start, start + hashPartLength);
        if (this.#wanted.has(part) && !this.found.has(part)) this.found.set(part, offset + start);
      }
      start++;
    }
  }
}

function beginning(bytes: Buffer, start: number): number {
  const digit = (index: number): number => digits[bytes[index] ?? 0] ?? 0;
  return (digit(start) & 31) | ((digit(start + 1) & 31) << 5) | ((digit(start + 2) & 31) << 10);
}
