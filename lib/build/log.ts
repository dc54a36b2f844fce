import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { plainLine, plainText } from "#lib/platform/plain-text.ts";
import { reasonOf } from "#lib/platform/reason.ts";
import { type TreeFiles, treeFiles } from "#lib/store/tree-files.ts";

/** What a log tells others while it is written. */
export interface LogListener {
  readonly line: (line: string) => void;
  readonly phase: (phase: string) => void;
  /** Something that does not stop the build and that its user should know. */
  readonly warning: (message: string) => void;
}

/** Longest piece that is passed on as one line; a progress bar without line ends must not fill the memory. */
const longestLine = 64 * 1024;

/** The log of one running build: a file, and lines for whoever listens. */
export class BuildLog {
  readonly path: string;
  /** The phase that the builder announced last. */
  phase: string | undefined;
  /** When the builder last wrote something, on the clock of `performance.now()`. */
  lastOutput = performance.now();
  bytes = 0;

  readonly #fs: TreeFiles;
  readonly #listener: LogListener;
  readonly #decoder = new StringDecoder("utf8");
  #descriptor: number | undefined;
  /** Why something could not be written. The builder goes on, and `close` reports it. */
  #failure: Error | undefined;
  #partial = "";

  private constructor(fs: TreeFiles, path: string, descriptor: number, listener: LogListener) {
    this.#fs = fs;
    this.path = path;
    this.#descriptor = descriptor;
    this.#listener = listener;
  }

  /** Starts an empty log, in a directory that is there. Throws the file system's own error. */
  static open(fs: FileSystemShape, path: string, listener: LogListener): BuildLog {
    const files = treeFiles(fs);
    return new BuildLog(files, path, files.openSync(path, "w"), listener);
  }

  /** Copies a builder's output until it ends; what the disk cannot take at once makes the builder wait. */
  consume(stream: Readable): Promise<void> {
    return new Promise((resolve, reject) => {
      // An error of a listener would end the whole process here.
      const attempt = (step: () => void): void => {
        try {
          step();
        } catch (cause) {
          stream.destroy();
          reject(cause);
        }
      };
      const end = (): void => {
        attempt(() => this.#endLine());
        resolve();
      };
      stream.on("data", (chunk: Buffer) => {
        this.lastOutput = performance.now();
        this.bytes += chunk.length;
        this.#write(chunk);
        attempt(() => this.#split(this.#decoder.write(chunk)));
      });
      stream.once("error", reject);
      // Also the end of a stream that was destroyed.
      stream.once("close", end);
      if (stream.closed) end();
    });
  }

  /** Adds one line of the engine's or of a builtin builder. */
  line(text: string): void {
    this.lastOutput = performance.now();
    this.#write(Buffer.from(`${text}\n`));
    this.#listener.line(text);
  }

  /** Ends the file; may be called again. Throws the disk's own error if something is missing in it. */
  close(): void {
    this.#endLine();
    const descriptor = this.#descriptor;
    // Whether closing succeeds or not, the number may be of another file from then on.
    this.#descriptor = undefined;
    if (descriptor !== undefined) this.#attempt(() => this.#fs.closeSync(descriptor));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** In one step: a pipe gives 64 KiB at most. */
  #write(bytes: Uint8Array): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined || this.#failure !== undefined) return;
    this.#attempt(() => {
      for (let written = 0; written < bytes.length; ) {
        written += this.#fs.writeSync(descriptor, bytes, written, bytes.length - written);
      }
    });
  }

  /** Does something with the file; what fails first is what is missing in it. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#failure ??= cause instanceof Error ? cause : new Error(String(cause));
    }
  }

  #split(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#announce(line);
    if (this.#partial.length > longestLine) this.#endLine();
  }

  #endLine(): void {
    const line = this.#partial;
    this.#partial = "";
    if (line !== "") this.#announce(line);
  }

  /** Nix's structured lines name a phase or a message for the user; others are shown as they are. */
  #announce(line: string): void {
    const announcement = announced(line);
    if (announcement === undefined) {
      this.#listener.line(line.endsWith("\r") ? line.slice(0, -1) : line);
    } else if ("phase" in announcement) {
      this.phase = announcement.phase;
      this.#listener.phase(announcement.phase);
    } else {
      this.#listener.warning(announcement.warning);
    }
  }
}

/** Nix's number for messages that warn; lower ones are errors. */
const warningLevel = 1;

/** `@nix {"action":"setPhase","phase":"buildPhase"}`, `@nix {"action":"msg","level":1,"msg":"…"}` */
function announced(line: string): { readonly phase: string } | { readonly warning: string } | undefined {
  if (!line.startsWith("@nix ")) return undefined;
  try {
    const message: unknown = JSON.parse(line.slice("@nix ".length));
    if (typeof message !== "object" || message === null) return undefined;
    const { action, phase, level, msg } = message as Readonly<Record<"action" | "phase" | "level" | "msg", unknown>>;
    if (action === "setPhase" && typeof phase === "string") return { phase: plainLine(phase) };
    return action === "msg" && typeof level === "number" && level <= warningLevel && typeof msg === "string"
      ? { warning: plainText(msg) }
      : undefined;
  } catch {
    return undefined; // Not one of Nix's messages after all: an ordinary line.
  }
}

/** How much of the end of a log is looked at when a build has failed. */
const tailBytes = 1024 * 1024;

/** What can be shown of the end of a log. */
export interface LogTail {
  readonly lines: readonly string[];
  /** Why it could not be read, without a full stop: then it is not known whether it had any lines. */
  readonly problem: string | undefined;
}

/**
 * The end of a log, at most 1 MiB, as whole lines without Nix's structured ones and without colours: as they can be
 * shown, and compared with what is known.
 */
export async function logTail(fs: FileSystemShape, path: string): Promise<LogTail> {
  try {
    return { lines: shownLines(await readTail(fs, path)), problem: undefined };
  } catch (cause) {
    return { lines: [], problem: reasonOf(cause) };
  }
}

async function readTail(fs: FileSystemShape, path: string): Promise<string[]> {
  const file = await fs.promises.open(path, "r");
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.subarray(0, bytesRead).toString("utf8").split("\n");
    if (start > 0) lines.shift();
    if (lines.at(-1) === "") lines.pop();
    return lines;
  } finally {
    await file.close();
  }
}

const shownLines = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => {
    const announcement = announced(line);
    if (announcement === undefined) return [plainLine(line)];
    return "warning" in announcement ? [`warning: ${announcement.warning}`] : [];
  });
