import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { createFsFromVolume, Volume } from "memfs";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
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

/** One cpio entry: name, mode with its type, content, number of links and inode. */
export type CpioSketch = readonly [name: string, mode: number, content?: string, links?: number, inode?: number];

/** A cpio archive in the "newc" format. */
export function cpioOf(sketches: readonly CpioSketch[], trailer = true): Buffer {
  const all: readonly CpioSketch[] = trailer ? [...sketches, ["TRAILER!!!", 0]] : sketches;
  const parts = all.flatMap(([name, mode, content = "", links = 1, inode = 0]) => {
    const size = Buffer.byteLength(content);
    const nameSize = Buffer.byteLength(name) + 1;
    const numbers = [inode, mode, 3, 4, links, 9, size, 8, 1, 5, 1, nameSize, 0];
    const header = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}${name}\0`;
    const pad = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
    return [Buffer.from(header), pad(Buffer.byteLength(header)), Buffer.from(content), pad(size)];
  });
  return Buffer.concat(parts);
}

/** One zip entry. */
export interface ZipSketch {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
  readonly deflate?: boolean;
  /** Lies, for hostile archives. */
  readonly localName?: string;
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
  readonly method?: number;
  readonly offset?: number;
}

/** A zip archive. */
export function zipOf(sketches: readonly ZipSketch[], comment = ""): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const { name, content = "", mode, deflate = false, ...lies } of sketches) {
    const bytes = Buffer.from(content);
    const data = deflate ? deflateRawSync(bytes) : bytes;
    const numbers = {
      crc: lies.crc ?? crc32(bytes),
      size: lies.size ?? bytes.length,
      method: lies.method ?? (deflate ? 8 : 0),
      flags: lies.flags ?? 0,
    };
    const localName = Buffer.from(lies.localName ?? name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(localName.length, 26);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt8(mode === undefined ? 0 : 3, 5);
    record.writeUInt16LE(numbers.flags, 8);
    record.writeUInt16LE(numbers.method, 10);
    record.writeUInt32LE(numbers.crc, 16);
    record.writeUInt32LE(data.length, 20);
    record.writeUInt32LE(numbers.size, 24);
    record.writeUInt16LE(Buffer.byteLength(name), 28);
    record.writeUInt32LE(((mode ?? 0) << 16) >>> 0, 38);
    record.writeUInt32LE(lies.offset ?? position, 42);
    locals.push(local, localName, data);
    directory.push(record, Buffer.from(name));
    position += 30 + localName.length + data.length;
  }
  const size = directory.reduce((total, { length }) => total + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(sketches.length, 8);
  end.writeUInt16LE(sketches.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(position, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...locals, ...directory, end, Buffer.from(comment)]);
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
