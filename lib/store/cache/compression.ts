import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { PassThrough, Transform } from "node:stream";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes, type RunningProcess } from "#lib/platform/processes.ts";
import { attempt } from "../attempt.ts";
import { type StoreError, StoreIoError } from "../errors.ts";
import { Hasher, hashTree, type NarHash } from "../hash-tree.ts";

/** How archives in a cache are compressed. */
export type CacheCompression = "none" | "gzip" | "xz" | "zstd";

/** What the names of archives end in. */
export const compressionSuffix: Readonly<Record<CacheCompression, string>> = {
  none: "",
  gzip: ".gz",
  xz: ".xz",
  zstd: ".zst",
};

/** Whether a compression is known here. */
export function isCacheCompression(text: string): text is CacheCompression {
  return Object.hasOwn(compressionSuffix, text);
}

/** A compressed archive of a tree. */
export interface CompressedNar {
  readonly nar: NarHash;
  readonly file: NarHash;
  /** What was used in the end. */
  readonly compression: CacheCompression;
}

interface Compressor {
  readonly compression: CacheCompression;
  readonly input: Writable;
  readonly output: Readable;
  readonly done: Effect.Effect<void, StoreError>;
}

/**
 * Writes the compressed NAR of a tree to a file, in bounded memory. If the program for the wanted compression is
 * not installed, gzip is used, which Node has built in and every Nix can read.
 */
export const compressTree = Effect.fnUntraced(function* (
  tree: string,
  destination: string,
  wanted: CacheCompression,
): Effect.fn.Return<CompressedNar, StoreError, FileSystem | Processes> {
  const fs = yield* FileSystem;
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const compressor = yield* startCompressor(wanted, tree);
      const hasher = new Hasher("sha256");
      let size = 0;
      const count = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hasher.update(chunk);
          size += chunk.length;
          done(null, chunk);
        },
      });
      const [nar] = yield* Effect.all(
        [
          attempt("archive", tree, async (signal) => {
            const archived = await hashTree(fs, tree, { signal }, (chunk) => feed(compressor.input, chunk));
            compressor.input.end();
            return archived;
          }).pipe(
            // How the program ended says more than that it takes nothing any more; unless it does not end.
            Effect.catch((error) =>
              compressor.input.destroyed
                ? Effect.andThen(Effect.raceFirst(compressor.done, Effect.sleep(5000)), Effect.fail(error))
                : Effect.fail(error),
            ),
          ),
          attempt("write the archive", destination, (signal) =>
            pipeline(compressor.output, count, fs.createWriteStream(destination), { signal }),
          ),
        ],
        { concurrency: 2 },
      );
      yield* compressor.done;
      return { nar, file: { hash: hasher.digest(), size }, compression: compressor.compression };
    }),
  );
});

/** Hands over a copy, because the archive's writer uses its buffer again; waits while the compressor is busy. */
async function feed(input: Writable, chunk: Uint8Array): Promise<void> {
  if (input.destroyed) throw new Error("the compressor ended early");
  if (input.write(Buffer.from(chunk))) return;
  await new Promise<void>((resume) => {
    const stop = (): void => {
      input.off("drain", stop);
      input.off("close", stop);
      resume();
    };
    input.on("drain", stop);
    input.on("close", stop);
  });
}

function startCompressor(
  wanted: CacheCompression,
  tree: string,
): Effect.Effect<Compressor, StoreError, Processes | Scope.Scope> {
  switch (wanted) {
    case "none":
      return Effect.sync(() => within("none", new PassThrough()));
    case "gzip":
      return Effect.sync(() => within("gzip", createGzip({ level: 9 })));
    case "xz":
    case "zstd":
      return Effect.flatMap(Processes, (processes) =>
        processes.spawn({
          command: wanted,
          args: wanted === "xz" ? ["-c", "-T1", "-6"] : ["-q", "-c", "-T1", "-10"],
          env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
          stderr: "ignore",
        }),
      ).pipe(
        Effect.map((child) => ofProcess(wanted, child, tree)),
        Effect.catchTag("SpawnError", () => startCompressor("gzip", tree)),
      );
  }
}

function within(compression: CacheCompression, stream: Transform): Compressor {
  return { compression, input: stream, output: stream, done: Effect.void };
}

function ofProcess(compression: CacheCompression, child: RunningProcess, tree: string): Compressor {
  const { stdin, stdout } = child;
  // Both are pipes, as `spawn` was asked for.
  if (stdin === null || stdout === null) throw new TypeError("the compressor has no pipes");
  const done = Effect.flatMap(child.exit, ({ code, signal }) =>
    code === 0
      ? Effect.void
      : Effect.fail(
          new StoreIoError({
            operation: `compress with ${compression}`,
            path: tree,
            cause: new Error(
              `the program ${signal === null ? `ended with exit code ${String(code)}` : `was killed by ${signal}`}. Choose another one with --compression`,
            ),
          }),
        ),
  );
  return { compression, input: stdin, output: stdout, done };
}
