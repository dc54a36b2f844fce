import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { createFsFromVolume, Volume } from "memfs";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { StreamSource } from "#lib/archives/byte-source.ts";
import { formatHeader, padding } from "#lib/archives/tar-format.ts";
import type { TarHeader } from "#lib/archives/tar-format.ts";
import { TarReader } from "#lib/archives/tar-reader.ts";
import type { TarEntry } from "#lib/archives/tar-reader.ts";
import type { EntryReaderOptions } from "#lib/archives/entry-reader.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";

/** An entry as tests write it down. */
export type Sketch = Partial<TarHeader> & { readonly path: string; readonly content?: string | Buffer };

export function sketchHeader(sketch: Sketch): TarHeader {
  const size = sketch.content === undefined ? 0 : Buffer.byteLength(sketch.content);
  return { type: "file", mode: sketch.type === "directory" ? 0o755 : 0o644, uid: 0, gid: 0, mtime: 1, size, ...sketch };
}

/** A whole tar archive. */
export function tarOf(sketches: readonly Sketch[]): Buffer {
  const parts = sketches.flatMap((sketch) => {
    const header = sketchHeader(sketch);
    return [formatHeader(header), Buffer.from(sketch.content ?? ""), Buffer.alloc(padding(header.size))];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A header whose name is written as it stands, however hostile. */
export function rawHeader(name: string, sketch: Omit<Sketch, "path"> & { readonly flag?: string } = {}): Buffer {
  const block = formatHeader(sketchHeader({ ...sketch, path: "x" }));
  block.fill(0, 0, 100);
  block.write(name, 0, 100, "latin1");
  if (sketch.flag !== undefined) block.write(sketch.flag, 156, "latin1");
  if (sketch.type === "hardlink") block.fill(0, 157, 257).write(sketch.target ?? "", 157, "latin1");
  return resum(block);
}

/** Repairs the checksum of a changed header. */
export function resum(block: Buffer): Buffer {
  block.fill(" ", 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

export function arOf(members: readonly (readonly [name: string, bytes: Buffer])[]): Buffer {
  const parts = members.flatMap(([name, bytes]) => {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}0     0     100644  ${String(bytes.length).padEnd(10)}\`\n`;
    return [Buffer.from(header), bytes, Buffer.alloc(bytes.length % 2, "\n")];
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}

/** A Debian package; its data archive is gzipped, as Node can make that. */
export function debOf(sketches: readonly Sketch[], control = "Package: p\nVersion: 1\n"): Buffer {
  return arOf([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync(tarOf([{ path: "control", content: control }]))],
    ["data.tar.gz", gzipSync(tarOf(sketches))],
  ]);
}

/** The bytes as a stream of pieces. */
export async function* pieces(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

export async function readTar(
  bytes: Buffer,
  options: EntryReaderOptions & { readonly pieceSize?: number } = {},
): Promise<{ readonly entry: TarEntry; readonly content: Buffer }[]> {
  const reader = new TarReader("test.tar", new StreamSource(pieces(bytes, options.pieceSize)), options);
  const found: { readonly entry: TarEntry; readonly content: Buffer }[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const parts: Buffer[] = [];
    for (let part = await reader.chunk(); part.length > 0; part = await reader.chunk()) parts.push(Buffer.from(part));
    found.push({ entry, content: Buffer.concat(parts) });
  }
  return found;
}

/** Somewhere to work: a file system and an empty directory in it. */
export interface Host {
  readonly fs: FileSystemShape;
  readonly directory: string;
}

/** The two hosts that everything must work on alike. */
export const hosts: readonly (readonly [name: string, make: (t: Tap.Test) => Host])[] = [
  [
    "in memory",
    () => ({
      fs: createFsFromVolume(Volume.fromJSON({ "/w/.keep": "" })) as unknown as FileSystemShape,
      directory: "/w",
    }),
  ],
  [
    "on disk",
    (t) => {
      const directory = nodeFs.mkdtempSync(`${tmpdir()}/helios-test-`);
      t.teardown(() => nodeFs.rmSync(directory, { recursive: true, force: true }));
      return { fs: nodeFs, directory };
    },
  ],
];

declare namespace Tap {
  interface Test {
    teardown(callback: () => void): void;
  }
}

/** Runs an archive effect; a typed failure is returned, not thrown. */
export async function attemptOn<A, E>(
  host: Host,
  effect: Effect.Effect<A, E, FileSystem | Processes>,
): Promise<{ readonly value: A; readonly error?: undefined } | { readonly value?: undefined; readonly error: E }> {
  const services = Layer.merge(Layer.succeed(FileSystem, host.fs), Processes.layer);
  const exit = await Effect.runPromiseExit(effect.pipe(Effect.provide(services)));
  if (Exit.isSuccess(exit)) return { value: exit.value };
  const failure = exit.cause.reasons.find(Cause.isFailReason);
  if (failure === undefined) throw Cause.squash(exit.cause);
  return { error: failure.error };
}

export async function runOn<A, E>(host: Host, effect: Effect.Effect<A, E, FileSystem | Processes>): Promise<A> {
  const result = await attemptOn(host, effect);
  if (result.error !== undefined) throw result.error;
  return result.value as A;
}
