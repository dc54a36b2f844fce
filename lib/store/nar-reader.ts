import { NarError } from "./errors.ts";
import { narTokens, narString, padded } from "./nar-format.ts";
import type { BytePath } from "./tree-files.ts";

/**
 * Receives what an archive holds, in order. A promise is waited for before the
 * next call. Paths are relative: "" for the archive's root, else starting with a slash.
 */
export interface NarVisitor {
  /** The entries follow, then `leave`. */
  enter(path: BytePath): void | Promise<void>;
  leave(path: BytePath): void | Promise<void>;
  /** `size` bytes follow as `data`, then `endFile`. */
  file(path: BytePath, executable: boolean, size: number): void | Promise<void>;
  data(chunk: Uint8Array): void | Promise<void>;
  endFile(): void | Promise<void>;
  symlink(path: BytePath, target: BytePath): void | Promise<void>;
}

/** Longest string that is no file's contents: the target of a link (PATH_MAX). */
const longestString = 4095;
const longestName = 255;

/** What comes next in the archive. */
type State = "archive" | "entries" | "contents" | "end of contents" | "end of node" | "end of archive";

interface Directory {
  readonly path: BytePath;
  lastName: BytePath;
}

/**
 * Reads a NAR from chunks of any size, in bounded memory and without recursion.
 * Only the canonical form is accepted: the known strings in their one order,
 * zeros as padding, names in rising order of bytes and fit for a directory.
 *
 * It goes in steps. A step reads what leads up to one call of the visitor and ends with that call; when the bytes do not
 * suffice for all of it, nothing has happened, and it is taken again when more have come.
 */
export class NarReader {
  readonly #visitor: NarVisitor;
  #state: State = "archive";
  /** What was pushed and is not read yet, and how much of that the present step has read. */
  #bytes = empty;
  #position = 0;
  /** How much of the archive came before these bytes. */
  #before = 0;
  /** Of the present file. */
  #size = 0;
  #contentsLeft = 0;
  /** Directories that are open, outermost first. */
  readonly #open: Directory[] = [];

  constructor(visitor: NarVisitor) {
    this.#visitor = visitor;
  }

  /**
   * Takes the next bytes of the archive.
   *
   * @throws NarError, or what the visitor throws
   */
  async push(chunk: Uint8Array): Promise<void> {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#bytes = this.#bytes.length === 0 ? fresh : Buffer.concat([this.#bytes, fresh]);
    for (let wait = this.#walk(); wait !== undefined; wait = this.#walk()) await wait;
    this.#before += this.#position;
    // Copied, because the sender may use its buffer again.
    this.#bytes = this.#position < this.#bytes.length ? Buffer.from(this.#bytes.subarray(this.#position)) : empty;
    this.#position = 0;
  }

  /** Says that nothing follows. */
  end(): void {
    if (this.#state !== "end of archive") this.#fail("it ends too early");
  }

  /** Takes steps until something has to be waited for; undefined when more bytes are needed. */
  #walk(): Promise<void> | undefined {
    let start = this.#position;
    try {
      for (;;) {
        const wait = this.#step();
        if (wait !== undefined) return wait;
        start = this.#position;
      }
    } catch (cause) {
      if (cause !== tooFewBytes) throw cause;
      this.#position = start;
      return undefined;
    }
  }

  #step(): void | Promise<void> {
    switch (this.#state) {
      case "archive": {
        const magic = this.#text();
        if (magic !== "nix-archive-1") this.#fail(`expected 'nix-archive-1', found '${printable(magic)}'`);
        this.#expect(keywords.type);
        return this.#node("");
      }
      case "entries":
        return this.#entry();
      case "contents":
        return this.#contents();
      case "end of contents":
        this.#zeros(padded(this.#size) - this.#size);
        this.#state = "end of node";
        return this.#visitor.endFile();
      case "end of node":
        this.#expect(this.#open.length === 0 ? keywords.close : keywords.closeBoth);
        this.#state = this.#open.length === 0 ? "end of archive" : "entries";
        return undefined;
      case "end of archive":
        if (this.#position < this.#bytes.length) this.#fail("something follows the end");
        throw tooFewBytes;
    }
  }

  #entry(): void | Promise<void> {
    const directory = this.#open.at(-1);
    if (directory === undefined) throw new TypeError("entries without a directory");
    if (!this.#skip(narTokens.entry)) {
      const keyword = this.#text();
      if (keyword === ")") return this.#leave(directory);
      if (keyword !== "entry") this.#fail(`expected 'entry', found '${printable(keyword)}'`);
      this.#expect(keywords.name);
    }
    const name = this.#text();
    if (name === "" || name === "." || name === ".." || name.length > longestName || /[/\0]/.test(name)) {
      this.#fail(`'${printable(name)}' cannot be the name of a file`);
    }
    if (directory.lastName >= name) this.#fail(`'${printable(name)}' is out of order or doubled`);
    const path = `${directory.path}/${name}`;
    let wait: void | Promise<void>;
    if (this.#skip(narTokens.nodeRegular)) wait = this.#file(path, false);
    else {
      this.#expect(keywords.node);
      wait = this.#node(path);
    }
    directory.lastName = name;
    return wait;
  }

  #leave(directory: Directory): void | Promise<void> {
    if (this.#open.length > 1) this.#expect(keywords.close);
    this.#open.pop();
    if (this.#open.length === 0) this.#state = "end of archive";
    return this.#visitor.leave(directory.path);
  }

  /** A node after the keyword `type`. */
  #node(path: BytePath): void | Promise<void> {
    const type = this.#text();
    switch (type) {
      case "directory":
        this.#open.push({ path, lastName: "" });
        this.#state = "entries";
        return this.#visitor.enter(path);
      case "symlink": {
        this.#expect(keywords.target);
        const target = this.#text();
        if (target === "" || target.includes("\0")) this.#fail("a link has no usable target");
        this.#state = "end of node";
        return this.#visitor.symlink(path, target);
      }
      case "regular": {
        const keyword = this.#text();
        if (keyword === "executable") this.#expect(keywords.contents);
        else if (keyword !== "contents") this.#fail(`expected 'contents', found '${printable(keyword)}'`);
        return this.#file(path, keyword === "executable");
      }
      default:
        return this.#fail(`'${printable(type)}' is no type of file`);
    }
  }

  #file(path: BytePath, executable: boolean): void | Promise<void> {
    const start = this.#take(8);
    const size = this.#bytes.readUInt32LE(start) + this.#bytes.readUInt32LE(start + 4) * 2 ** 32;
    if (size > Number.MAX_SAFE_INTEGER) this.#fail("a file is impossibly long");
    this.#size = size;
    this.#contentsLeft = size;
    this.#state = size === 0 ? "end of contents" : "contents";
    return this.#visitor.file(path, executable, size);
  }

  #contents(): void | Promise<void> {
    const length = Math.min(this.#bytes.length - this.#position, this.#contentsLeft);
    if (length === 0) throw tooFewBytes;
    const start = this.#take(length);
    this.#contentsLeft -= length;
    if (this.#contentsLeft === 0) this.#state = "end of contents";
    return this.#visitor.data(this.#bytes.subarray(start, start + length));
  }

  #text(): BytePath {
    const start = this.#take(8);
    const length = this.#bytes.readUInt32LE(start);
    if (length > longestString || this.#bytes.readUInt32LE(start + 4) !== 0) {
      this.#fail("a name, target or keyword is too long");
    }
    const end = this.#take(length) + length;
    this.#zeros(padded(length) - length);
    return this.#bytes.toString("latin1", start + 8, end);
  }

  #zeros(count: number): void {
    const start = this.#take(count);
    for (let index = start; index < start + count; index++) {
      if (this.#bytes[index] !== 0) this.#fail("the padding is not zero");
    }
  }

  /** Keywords that have to follow. */
  #expect({ bytes, words }: Keywords): void {
    if (this.#skip(bytes)) return;
    if (this.#position + bytes.length > this.#bytes.length) throw tooFewBytes;
    this.#fail(`expected ${words}`);
  }

  /** Whether these bytes follow; they are read if so. For what is likely: comparing it at once is what makes it fast. */
  #skip(bytes: Buffer): boolean {
    const end = this.#position + bytes.length;
    if (end > this.#bytes.length || bytes.compare(this.#bytes, this.#position, end) !== 0) return false;
    this.#position = end;
    return true;
  }

  /** Reads so many bytes; returns where they start. */
  #take(count: number): number {
    const start = this.#position;
    if (start + count > this.#bytes.length) throw tooFewBytes;
    this.#position = start + count;
    return start;
  }

  #fail(problem: string): never {
    throw new NarError({ offset: this.#before + this.#position, problem });
  }
}

const empty: Buffer<ArrayBufferLike> = Buffer.alloc(0);

/** Ends a step; thrown once for each chunk at most. */
const tooFewBytes = new Error("the next step needs more bytes");

/** Keywords that always follow one another. */
interface Keywords {
  readonly bytes: Buffer;
  /** For messages. */
  readonly words: string;
}

function keywordRun(...words: string[]): Keywords {
  return { bytes: Buffer.concat(words.map(narString)), words: words.map((word) => `'${word}'`).join(" ") };
}

const keywords = {
  type: keywordRun("(", "type"),
  name: keywordRun("(", "name"),
  node: keywordRun("node", "(", "type"),
  target: keywordRun("target"),
  contents: keywordRun("", "contents"),
  close: keywordRun(")"),
  /** The end of a file or link, and of the entry that it is. */
  closeBoth: keywordRun(")", ")"),
} as const;

function printable(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, "?");
}
