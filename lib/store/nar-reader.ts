import { NarError } from "./errors.ts";
import { narString, padded } from "./nar-format.ts";
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

/** What the grammar asks of the reader: so many bytes, to hand over a file's contents, or to wait. */
type Request = number | { readonly contents: number } | Promise<void>;

/**
 * Reads a NAR from chunks of any size, in bounded memory and without recursion.
 * Only the canonical form is accepted: the known strings in their one order,
 * zeros as padding, names in rising order of bytes and fit for a directory.
 */
export class NarReader {
  readonly #visitor: NarVisitor;
  readonly #grammar: Generator<Request, void, Buffer>;
  #request: IteratorResult<Request, void>;
  /** The start of something that is not complete yet. */
  #pending = Buffer.alloc(0);
  #contentsLeft = 0;
  #offset = 0;

  constructor(visitor: NarVisitor) {
    this.#visitor = visitor;
    this.#grammar = archive(visitor, (problem) => this.#fail(problem));
    this.#request = this.#grammar.next();
  }

  /**
   * Takes the next bytes of the archive.
   *
   * @throws NarError, or what the visitor throws
   */
  async push(chunk: Uint8Array): Promise<void> {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#pending.length === 0 ? fresh : Buffer.concat([this.#pending, fresh]);
    let position = 0;
    for (;;) {
      if (this.#request.done === true) {
        if (position < bytes.length) this.#fail("something follows the end");
        break;
      }
      const request = this.#request.value;
      if (typeof request === "number") {
        if (bytes.length - position < request) break;
        const part = bytes.subarray(position, position + request);
        position += request;
        this.#request = this.#grammar.next(part);
        this.#offset += request;
      } else if (request instanceof Promise) {
        await request;
        this.#request = this.#grammar.next(empty);
      } else {
        if (this.#contentsLeft === 0) this.#contentsLeft = request.contents;
        const part = bytes.subarray(position, position + this.#contentsLeft);
        if (part.length === 0) break;
        const done = this.#visitor.data(part);
        if (done !== undefined) await done;
        position += part.length;
        this.#offset += part.length;
        this.#contentsLeft -= part.length;
        if (this.#contentsLeft === 0) this.#request = this.#grammar.next(empty);
      }
    }
    // Copied, because the sender may use its buffer again.
    this.#pending = position < bytes.length ? Buffer.from(bytes.subarray(position)) : empty;
  }

  /** Says that nothing follows. */
  end(): void {
    if (this.#request.done !== true) this.#fail("it ends too early");
  }

  #fail(problem: string): never {
    throw new NarError({ offset: this.#offset, problem });
  }
}

const empty: Buffer<ArrayBuffer> = Buffer.alloc(0);

interface Directory {
  readonly path: BytePath;
  lastName: BytePath;
}

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

/** The grammar of the format, as a coroutine that is given the bytes it asks for. */
function* archive(visitor: NarVisitor, fail: (problem: string) => never): Generator<Request, void, Buffer> {
  function* text(): Generator<Request, string, Buffer> {
    const head = yield 8;
    const length = head.readUInt32LE(0);
    if (head.readUInt32LE(4) !== 0 || length > longestString) fail("a name, target or keyword is too long");
    if (length === 0) return "";
    const body = yield padded(length);
    if (!isZero(body.subarray(length))) fail("the padding is not zero");
    return body.toString("latin1", 0, length);
  }
  /** A run of keywords, compared at once: asking for each by itself would double the time of small files. */
  function* expect(run: Keywords): Generator<Request, void, Buffer> {
    if (!run.bytes.equals(yield run.bytes.length)) fail(`expected ${run.words}`);
  }
  function* contents(path: BytePath, executable: boolean): Generator<Request, void, Buffer> {
    const size = Number((yield 8).readBigUInt64LE(0));
    if (size > Number.MAX_SAFE_INTEGER) fail("a file is impossibly long");
    yield* wait(visitor.file(path, executable, size));
    if (size > 0) yield { contents: size };
    const padding = padded(size) - size;
    if (padding > 0 && !isZero(yield padding)) fail("the padding is not zero");
    yield* wait(visitor.endFile());
  }
  /** A node after the keyword `type`, without its end; true if it is a directory, whose entries follow. */
  function* node(path: BytePath): Generator<Request, boolean, Buffer> {
    const type = yield* text();
    switch (type) {
      case "directory":
        yield* wait(visitor.enter(path));
        return true;
      case "symlink": {
        yield* expect(keywords.target);
        const target = yield* text();
        if (target === "" || target.includes("\0")) fail("a link has no usable target");
        yield* wait(visitor.symlink(path, target));
        return false;
      }
      case "regular": {
        const keyword = yield* text();
        if (keyword === "executable") yield* expect(keywords.contents);
        else if (keyword !== "contents") fail(`expected 'contents', found '${printable(keyword)}'`);
        yield* contents(path, keyword === "executable");
        return false;
      }
      default:
        return fail(`'${printable(type)}' is no type of file`);
    }
  }

  const magic = yield* text();
  if (magic !== "nix-archive-1") fail(`expected 'nix-archive-1', found '${printable(magic)}'`);
  yield* expect(keywords.type);
  const open: Directory[] = [];
  if (yield* node("")) open.push({ path: "", lastName: "" });
  else yield* expect(keywords.close);
  for (let directory = open.at(-1); directory !== undefined; directory = open.at(-1)) {
    const keyword = yield* text();
    if (keyword === ")") {
      yield* wait(visitor.leave(directory.path));
      open.pop();
      if (open.length > 0) yield* expect(keywords.close);
      continue;
    }
    if (keyword !== "entry") fail(`expected 'entry', found '${printable(keyword)}'`);
    yield* expect(keywords.name);
    const name = yield* text();
    if (name === "" || name === "." || name === ".." || name.length > longestName || /[/\0]/.test(name)) {
      fail(`'${printable(name)}' cannot be the name of a file`);
    }
    if (directory.lastName >= name) fail(`'${printable(name)}' is out of order or doubled`);
    directory.lastName = name;
    yield* expect(keywords.node);
    const path = `${directory.path}/${name}`;
    if (yield* node(path)) open.push({ path, lastName: "" });
    else yield* expect(keywords.closeBoth);
  }
}

function* wait(pending: void | Promise<void>): Generator<Request, void, Buffer> {
  if (pending !== undefined) yield pending;
}

function isZero(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

function printable(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, "?");
}
