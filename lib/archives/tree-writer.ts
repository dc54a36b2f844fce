import { dirname } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { OpenFile } from "./byte-source.ts";
import { namingPath, writeFully } from "./scratch.ts";

/** Files up to this size are collected and written behind the reader's back; larger ones are streamed. */
export const smallFile = 1 << 18;

/** Writes in flight at a time; more than the thread pool has threads keeps every thread busy. */
const parallelWrites = 24;

/**
 * Creates files, directories and links below a directory, several at a time.
 *
 * It trusts its caller about paths (`RootTree` has the rules) and still never
 * follows a link or overwrites anything: files are created exclusively, in
 * directories that it made itself.
 */
export class TreeWriter {
  readonly #fs: FileSystemShape;
  readonly #top: string;
  readonly #directories = new Map<string, Promise<void>>();
  readonly #pending = new Map<string, Promise<void>>();
  #failure: { readonly cause: unknown } | undefined;

  constructor(fs: FileSystemShape, top: string) {
    this.#fs = fs;
    this.#top = top;
  }

  physical(path: string): string {
    return path === "" ? this.#top : `${this.#top}/${path}`;
  }

  /** Makes a directory and all above it. */
  directory(path: string): Promise<void> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const made = this.#makeDirectory(path);
    this.#directories.set(path, made);
    return made;
  }

  async #makeDirectory(path: string): Promise<void> {
    if (path !== "") await this.directory(parent(path));
    await namingPath(this.physical(path), () => this.#fs.promises.mkdir(this.physical(path), { mode: 0o755 }));
  }

  /** Writes a small file soon; fails at a later call if that fails. `bytes` must not change any more. */
  async file(path: string, bytes: Uint8Array, executable: boolean): Promise<void> {
    await this.#room();
    this.#track(path, async () => {
      await this.directory(parent(path));
      await this.#fs.promises.writeFile(this.physical(path), bytes, { flag: "wx", mode: executable ? 0o755 : 0o644 });
    });
  }

  /** Writes a file from pieces: `next` returns an empty buffer at the end. */
  async stream(path: string, next: () => Promise<Buffer>, executable: boolean): Promise<void> {
    await this.directory(parent(path));
    const file: OpenFile = await this.#fs.promises.open(this.physical(path), "wx", executable ? 0o755 : 0o644);
    try {
      for (let part = await next(); part.length > 0; part = await next()) {
        await namingPath(this.physical(path), () => writeFully(file, part));
      }
    } finally {
      await file.close();
    }
  }

  async symlink(path: string, target: string): Promise<void> {
    await this.#room();
    this.#track(path, async () => {
      await this.directory(parent(path));
      await this.#fs.promises.symlink(target, this.physical(path));
    });
  }

  /** Links to a file that is complete. */
  async hardlink(path: string, target: string): Promise<void> {
    await this.directory(parent(path));
    await this.#fs.promises.link(this.physical(target), this.physical(path));
  }

  /** Waits until a path that was asked for is complete. */
  async written(path: string): Promise<void> {
    await this.#pending.get(path);
    this.#check();
  }

  /** Waits for everything. */
  async end(): Promise<void> {
    await Promise.all(this.#pending.values());
    this.#check();
  }

  /** Waits until nothing is being written any more, whether it went well or not. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending.values());
  }

  async #room(): Promise<void> {
    while (this.#pending.size >= parallelWrites) await Promise.race(this.#pending.values());
    this.#check();
  }

  #track(path: string, write: () => Promise<void>): void {
    const done = namingPath(this.physical(path), write)
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      })
      .finally(() => this.#pending.delete(path));
    this.#pending.set(path, done);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }
}

function parent(path: string): string {
  const directory = dirname(path);
  return directory === "." ? "" : directory;
}
