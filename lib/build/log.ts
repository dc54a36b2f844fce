import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import type { FileSystemShape } from "#lib/platform/file-system.ts";

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

  readonly #file: ReturnType<FileSystemShape["createWriteStream"]>;
  readonly #listener: LogListener;
  readonly #decoder = new StringDecoder("utf8");
  #partial = "";

  private constructor(path: string, file: ReturnType<FileSystemShape["createWriteStream"]>, listener: LogListener) {
    this.path = path;
    this.#file = file;
    this.#listener = listener;
  }

  /** Starts an empty log, in a directory that is there. */
  static open(fs: FileSystemShape, path: string, listener: LogListener): BuildLog {
    const file = fs.createWriteStream(path);
    // Reported by close(); without a listener, a full disk would end the whole process here.
    file.on("error", () => {});
    return new BuildLog(path, file, listener);
  }

  /** Copies a builder's output until it ends; waits for the disk, and thereby makes the builder wait. */
  async consume(stream: Readable): Promise<void> {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      this.lastOutput = performance.now();
      this.bytes += chunk.length;
      this.#split(this.#decoder.write(chunk));
      if (!this.#file.write(chunk) && !this.#file.destroyed) {
        await this.#drained();
      }
    }
    this.#endLine();
  }

  /** Adds one line of the engine's or of a builtin builder. */
  line(text: string): void {
    this.lastOutput = performance.now();
    this.#file.write(`${text}\n`);
    this.#listener.line(text);
  }

  /** Waits until everything is in the file; may be called again. Fails with the disk's own error. */
  async close(): Promise<void> {
    this.#endLine();
    const failed = this.#file.errored;
    if (failed !== null && failed !== undefined) throw failed;
    if (!this.#file.writableEnded) this.#file.end();
    await finished(this.#file);
  }

  /** Waits until the file takes more, or never will. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#file.off("drain", done).off("close", done);
        resolve();
      };
      this.#file.on("drain", done).on("close", done);
    });
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
    if (action === "setPhase" && typeof phase === "string") return { phase };
    return action === "msg" && typeof level === "number" && level <= warningLevel && typeof msg === "string"
      ? { warning: msg }
      : undefined;
  } catch {
    return undefined; // Not one of Nix's messages after all: an ordinary line.
  }
}

/** How much of the end of a log is looked at when a build has failed. */
const tailBytes = 1024 * 1024;

/** The end of a log, at most 1 MiB, as whole lines without Nix's structured ones. Empty if there is no log. */
export async function logTail(fs: FileSystemShape, path: string): Promise<string[]> {
  const file = await fs.promises.open(path, "r").catch(() => undefined);
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.subarray(0, bytesRead).toString("utf8").split("\n");
    if (start > 0) lines.shift();
    if (lines.at(-1) === "") lines.pop();
    return lines.flatMap((line) => {
      const announcement = announced(line);
      if (announcement === undefined) return [line];
      return "warning" in announcement ? [`warning: ${announcement.warning}`] : [];
    });
  } finally {
    await file.close();
  }
}
