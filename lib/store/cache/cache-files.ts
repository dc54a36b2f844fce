import * as Effect from "effect/Effect";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { uniqueName } from "../atomic-file.ts";
import { CacheUnreachable } from "./errors.ts";

/** The files of a binary cache, wherever they are. Names are relative. */
export interface CacheFiles {
  /** For messages. */
  readonly name: string;
  /** A small file; undefined if there is none. */
  readonly read: (file: string) => Effect.Effect<string | undefined, CacheUnreachable>;
  /** Copies a file here; false if there is none. */
  readonly download: (file: string, destination: string) => Effect.Effect<boolean, CacheUnreachable>;
  readonly has: (file: string) => Effect.Effect<boolean, CacheUnreachable>;
  readonly write: (file: string, content: string) => Effect.Effect<void, CacheUnreachable>;
  readonly upload: (file: string, source: string) => Effect.Effect<void, CacheUnreachable>;
}

/** Opens the cache at `file://<absolute path>`, `http://…` or `https://…`. */
export const openCache = (url: string): Effect.Effect<CacheFiles, CacheUnreachable, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) => {
    if (url.startsWith("file://")) return Effect.succeed(directoryFiles(fs, url));
    if (/^https?:\/\//.test(url)) return Effect.succeed(httpFiles(fs, url.replace(/\/+$/, "")));
    return Effect.fail(
      new CacheUnreachable({
        cache: url,
        file: "nix-cache-info",
        reason: "a cache is a file://, http:// or https:// URL",
      }),
    );
  });

function reachable<A>(
  cache: string,
  file: string,
  run: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, CacheUnreachable> {
  return Effect.tryPromise({
    try: (signal) => run(signal),
    catch: (cause) => new CacheUnreachable({ cache, file, reason: reasonOf(cause) }),
  });
}

/** `fetch` hides the reason of a failed connection in the cause of its error. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message || (errorCode(cause.cause) ?? "")}` : "";
  return cause.message + inner;
}

async function unlessMissing<A>(promise: Promise<A>): Promise<A | undefined> {
  try {
    return await promise;
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

function directoryFiles(fs: FileSystemShape, name: string): CacheFiles {
  const root = fileURLToPath(name);
  const place = (file: string): string => `${root}/${file}`;
  const replace = async (file: string, write: (draft: string) => Promise<void>): Promise<void> => {
    await fs.promises.mkdir(dirname(place(file)), { recursive: true });
    const draft = `${dirname(place(file))}/.${await uniqueName()}`;
    try {
      await write(draft);
      await fs.promises.rename(draft, place(file));
    } catch (cause) {
      await fs.promises.rm(draft, { force: true });
      throw cause;
    }
  };
  return {
    name,
    read: (file) => reachable(name, file, () => unlessMissing(fs.promises.readFile(place(file), "utf8"))),
    has: (file) =>
      reachable(name, file, async () => (await unlessMissing(fs.promises.stat(place(file)))) !== undefined),
    download: (file, destination) =>
      reachable(name, file, async () => {
        const copied = fs.promises.copyFile(place(file), destination).then(() => true);
        return (await unlessMissing(copied)) ?? false;
      }),
    write: (file, content) =>
      reachable(name, file, () => replace(file, (draft) => fs.promises.writeFile(draft, content))),
    upload: (file, source) =>
      reachable(name, file, () => replace(file, (draft) => fs.promises.copyFile(source, draft))),
  };
}

/** A small file that takes longer does not come, in milliseconds. Archives have the five silent minutes of Node's client. */
const silence = 60_000;

function httpFiles(fs: FileSystemShape, name: string): CacheFiles {
  /** Undefined for a file that is not there, or that may not be sent. */
  const ask = async (file: string, options: RequestInit): Promise<Response | undefined> => {
    const response = await fetch(`${name}/${file}`, options);
    if (response.ok) return response;
    await response.body?.cancel();
    // Object stores answer 403 for what is not there.
    if (response.status === 404 || response.status === 403) return undefined;
    // Static servers know no PUT at all, and `store serve` none without --writable.
    if (options.method === "PUT" && (response.status === 405 || response.status === 501)) return undefined;
    throw new Error(`the server answered ${response.status} ${response.statusText}`);
  };
  const send = async (file: string, body: NonNullable<RequestInit["body"]>, signal: AbortSignal): Promise<void> => {
    // A stream can only be sent while the answer is not awaited.
    const options: RequestInit = { method: "PUT", body, signal, duplex: "half" };
    if ((await ask(file, options)) === undefined) throw new Error("the server does not accept uploads");
  };
  return {
    name,
    read: (file) => reachable(name, file, async (signal) => (await ask(file, { signal: limited(signal) }))?.text()),
    has: (file) =>
      reachable(
        name,
        file,
        async (signal) => (await ask(file, { method: "HEAD", signal: limited(signal) })) !== undefined,
      ),
    download: (file, destination) =>
      reachable(name, file, async (signal) => {
        const response = await ask(file, { signal });
        if (response === undefined) return false;
        const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
        await pipeline(body, fs.createWriteStream(destination), { signal });
        return true;
      }),
    write: (file, content) => reachable(name, file, (signal) => send(file, content, signal)),
    upload: (file, source) =>
      reachable(name, file, (signal) => send(file, Readable.toWeb(fs.createReadStream(source)), signal)),
  };
}

function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(silence)]);
}
