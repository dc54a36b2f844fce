/** Where the keys of a TOML or JSON file stand in its text. Read once, so that many questions cost no more than one. */

/** A position; lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A key as it is written: the whole path of what it names, list positions included. */
export interface WrittenKey {
  readonly path: readonly string[];
  readonly position: Position;
}

/** Keys further down have the place of the one here that they are in, so that no file can make paths expensive. */
export const deepest = 128;

/** The keys of a text, in the order in which they are written. */
export class KeyPositions {
  private readonly exact = new Map<string, Position>();
  /** The first key that a table, which may have no line of its own, is written by. */
  private readonly below = new Map<string, Position>();

  /** Notes a key; of two at one path, the first counts. */
  add({ path, position }: WrittenKey): void {
    let prefix = "";
    for (const [index, name] of path.slice(0, deepest).entries()) {
      prefix = index === 0 ? name : `${prefix}\0${name}`;
      if (!this.below.has(prefix)) this.below.set(prefix, position);
    }
    if (!this.exact.has(prefix)) this.exact.set(prefix, position);
  }

  /** The position of the key at `path`, or of the closest key or table above it. */
  find(path: readonly string[]): Position | undefined {
    const known = path.slice(0, deepest);
    const whole = this.first(known);
    if (whole !== undefined) return whole;
    for (let depth = known.length; depth > 0; depth--) {
      const found = this.exact.get(known.slice(0, depth).join("\0"));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Where something at `path`, or in the table there, is written first. */
  first(path: readonly string[]): Position | undefined {
    return this.below.get(path.join("\0"));
  }
}

/** Lines and columns of offsets in a text, which are asked for in ascending order. */
export class Lines {
  private line = 1;
  private start = 0;
  /** Where the line ends. Kept, since a line that goes on for ever may have very many keys. */
  private end: number;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.end = this.endFrom(0);
  }

  private endFrom(start: number): number {
    const end = this.text.indexOf("\n", start);
    return end === -1 ? this.text.length : end;
  }

  at(offset: number): Position {
    while (this.end < offset) {
      this.line++;
      this.start = this.end + 1;
      this.end = this.endFrom(this.start);
    }
    return { line: this.line, column: offset - this.start + 1 };
  }
}

/** A mistake in a text, at its place. */
export interface TextProblem extends WrittenKey {
  readonly problem: string;
}

/** What is wrong with a key that stands there a second time. */
export function definedAlready(first: Position): string {
  return `it is defined already, in line ${first.line}`;
}
