const lineFeed = 0x0a;

/** Splits a byte stream into lines, in time linear in its length. */
export class LineReader {
  private parts: Buffer[] = [];
  private length = 0;
  private readonly onLine: (line: Buffer) => void;
  private readonly onOverflow: () => void;
  private readonly longest: number;

  /** `onOverflow` is called when a line exceeds `longest` bytes; what has come of it is dropped. */
  constructor(onLine: (line: Buffer) => void, onOverflow: () => void, longest = 64 * 1024 * 1024) {
    this.onLine = onLine;
    this.onOverflow = onOverflow;
    this.longest = longest;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      this.parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(this.parts);
      this.clear();
      this.onLine(line);
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.parts.push(chunk.subarray(start));
    this.length += chunk.length - start;
    if (this.length <= this.longest) return;
    this.clear();
    this.onOverflow();
  }

  private clear(): void {
    this.parts = [];
    this.length = 0;
  }
}
