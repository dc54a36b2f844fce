import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { Readable } from "node:stream";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import type { RunningProcess } from "#lib/platform/processes.ts";
import { ArchiveTooLarge, attempt, DecompressionFailed, DecompressorMissing } from "./errors.ts";
import type { ArchiveError } from "./errors.ts";
import { defaultByteLimit } from "./entry-path.ts";

export type Compression = "none" | "gzip" | "xz" | "zstd";

/** A part of a file that holds a compressed stream. */
export interface CompressedPart {
  readonly path: string;
  readonly start: number;
  /** Bytes from `start`. */
  readonly size: number;
  readonly compression: Compression;
  /** A command that prints the decompressed bytes of this part itself, for hosts without the usual program. */
  readonly fallback?: readonly string[];
}

/** Recognises a compression by its first bytes (six suffice). */
export function detectCompression(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head.toString("latin1", 0, 6) === "\u00fd7zXZ\0") return "xz";
  if (head.toString("latin1", 0, 4) === "\u0028\u00b5\u002f\u00fd") return "zstd";
  return "none";
}

interface Decompression {
  readonly output: AsyncIterable<Uint8Array> & { destroy(): unknown };
  /** Fails if the compressed bytes were damaged. Complete only once `output` has ended. */
  readonly finished: Effect.Effect<void, ArchiveError>;
}

/**
 * Decompresses a part of a file and hands the bytes to `consume`, which must
 * read them to their end. Fails if the decompressor does, if it yields more
 * than `byteLimit` bytes, or as `consume` fails. The decompressor is dead when
 * this ends, however it ends.
 */
export const withDecompressed = <A>(
  part: CompressedPart,
  consume: (bytes: AsyncIterable<Uint8Array>) => Promise<A>,
  byteLimit: number = defaultByteLimit,
): Effect.Effect<A, ArchiveError, FileSystem | Processes> =>
  Effect.gen(function* () {
    const { output, finished } = yield* decompression(part);
    const counted = new Counted(part.path, output, byteLimit);
    const result = yield* attempt(part.path, (signal) => {
      // Whoever waits for the next bytes is released.
      signal.addEventListener("abort", () => output.destroy());
      return consume(counted);
    }).pipe(
      // When the stream ended early, why it did is the better story.
      Effect.tapError(() => (counted.ended ? finished : Effect.sync(() => output.destroy()))),
    );
    if (!counted.ended) {
      yield* attempt(part.path, async (signal) => {
        signal.addEventListener("abort", () => output.destroy());
        for await (const _ of counted);
      });
    }
    yield* finished;
    return result;
  }).pipe(Effect.scoped);

/** Counts what passes, and knows whether the end was reached. */
class Counted implements AsyncIterable<Uint8Array> {
  ended = false;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #archive: string;
  readonly #limit: number;
  #bytes = 0;

  constructor(archive: string, stream: AsyncIterable<Uint8Array>, limit: number) {
    this.#archive = archive;
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#limit = limit;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#iterator.next().catch((cause: unknown) => {
      // A decompressor within this process reports damage by failing the stream; `finished` tells.
      if (errorCode(cause)?.startsWith("Z_") === true || errorCode(cause)?.startsWith("ZSTD_") === true) {
        return { done: true as const, value: undefined };
      }
      throw cause;
    });
    if (next.done === true) {
      this.ended = true;
      return next;
    }
    this.#bytes += next.value.byteLength;
    if (this.#bytes > this.#limit) {
      throw new ArchiveTooLarge({ archive: this.#archive, what: "bytes", limit: this.#limit });
    }
    return next;
  }
}

const decompression = (
  part: CompressedPart,
): Effect.Effect<Decompression, ArchiveError, FileSystem | Processes | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    if (part.compression === "none") {
      return { output: slice(fs, part), finished: Effect.void };
    }
    const transform = inProcess(part.compression);
    if (transform !== undefined) return throughTransform(part, slice(fs, part), transform);
    const program = part.compression;
    const child = yield* start(part, [program, "-dc", ...(program === "xz" ? ["-T2"] : [])], "pipe").pipe(
      Effect.catchTag("SpawnError", () =>
        part.fallback === undefined
          ? Effect.fail(new DecompressorMissing({ archive: part.path, compression: program, tried: [program] }))
          : start(part, part.fallback, "ignore").pipe(
              Effect.catchTag("SpawnError", () =>
                Effect.fail(
                  new DecompressorMissing({
                    archive: part.path,
                    compression: program,
                    tried: [program, part.fallback?.[0] ?? ""],
                  }),
                ),
              ),
            ),
      ),
    );
    return throughProcess(part, child.stdin === null ? undefined : slice(fs, part), child);
  });

function slice(fs: FileSystem["Service"], part: CompressedPart): Readable {
  // A stream's end is inclusive, so an empty part cannot be said.
  if (part.size === 0) return Readable.from([]);
  return fs.createReadStream(part.path, {
    start: part.start,
    end: part.start + part.size - 1,
    highWaterMark: 1 << 18,
  });
}

/** A decompressor that this version of Node has built in (zstd since 22.15). */
function inProcess(compression: "gzip" | "xz" | "zstd"): (Readable & Writable) | undefined {
  if (compression === "gzip") return zlib.createGunzip({ chunkSize: 1 << 16 });
  if (compression === "zstd" && "createZstdDecompress" in zlib && typeof zlib.createZstdDecompress === "function") {
    return zlib.createZstdDecompress() as Readable & Writable;
  }
  return undefined;
}

function throughTransform(part: CompressedPart, input: Readable, transform: Readable & Writable): Decompression {
  const done = new Promise<unknown>((resolve) => {
    let failure: unknown;
    transform.once("error", (cause: unknown) => (failure = cause));
    transform.once("close", () => resolve(failure));
  });
  // Its result says only that all was written; damage may show later, and reaches `done`.
  pipeline(input, transform).catch(() => {});
  return {
    output: transform,
    finished: attempt(part.path, async () => {
      const cause = await done;
      if (cause === undefined) return;
      const code = errorCode(cause) ?? "";
      if (!code.startsWith("Z_") && !code.startsWith("ZSTD_")) throw cause;
      throw new DecompressionFailed({
        archive: part.path,
        command: part.compression,
        status: code,
        detail: cause instanceof Error ? cause.message : "",
      });
    }),
  };
}

const start = (part: CompressedPart, command: readonly string[], stdin: "pipe" | "ignore") =>
  Effect.gen(function* () {
    const processes = yield* Processes;
    const child = yield* processes.spawn({
      command: command[0] ?? "",
      args: command.slice(1),
      // Only where to look for the program; nothing else of the caller's environment changes what it prints.
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
      stdin,
    });
    return { ...child, label: command.join(" "), archive: part.path };
  });

function throughProcess(
  part: CompressedPart,
  input: Readable | undefined,
  child: RunningProcess & { readonly label: string },
): Decompression {
  const fed =
    input === undefined || child.stdin === null
      ? Promise.resolve(undefined)
      : pipeline(input, child.stdin).catch((cause: unknown) => cause);
  const complaint = tail(child.stderr);
  // Both pipes were asked for, so both exist.
  const output = child.stdout as Readable;
  return {
    output,
    finished: Effect.gen(function* () {
      const status = yield* child.exit;
      const cause = yield* Effect.promise(() => fed);
      if (status.code === 0) {
        // A decompressor that stopped reading at the stream's own end left bytes behind.
        if (cause === undefined || isClosedPipe(cause)) return;
        return yield* attempt(part.path, () => Promise.reject(cause));
      }
      if (cause !== undefined && !isClosedPipe(cause)) return yield* attempt(part.path, () => Promise.reject(cause));
      return yield* new DecompressionFailed({
        archive: part.path,
        command: child.label,
        status: status.signal === null ? `exit status ${status.code}` : `signal ${status.signal}`,
        detail: yield* Effect.promise(() => complaint),
      });
    }),
  };
}

function isClosedPipe(cause: unknown): boolean {
  return ["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED", "ECONNRESET"].includes(errorCode(cause) ?? "");
}

/** The last printed text, one line. */
async function tail(stream: Readable | null): Promise<string> {
  let text = "";
  if (stream === null) return text;
  try {
    for await (const chunk of stream) text = (text + String(chunk)).slice(-2000);
  } catch {
    // The exit status says more than a broken pipe.
  }
  return text.trim().replace(/\s*\n\s*/g, "; ");
}
