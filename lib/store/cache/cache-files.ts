import * as Effect from "effect/Effect";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { makeDirectory } from "#lib/platform/make-directory.ts";
import { whileLocked } from "./cache-lock.ts";
import { CacheFileUnsettled, CacheUnreachable } from "./errors.ts";
import { draftName, removeLeftovers } from "./leftovers.ts";

/** The files of a binary cache, wherever they are. Names are relative. */
export interface CacheFiles {
  /** For messages. */
  readonly name: string;
  /** A small file; undefined if there is none. */
  readonly read: (file: string) => Effect.Effect<string | undefined, CacheUnreachable>;
  /**
   * Copies a file here; false if there is none. Of one that is larger than the limit, in bytes, no more than a little
   * beyond that is copied: whoever knows the size sees that it is another one.
   */
  readonly download: (file: string, destination: string, limit?: number) => Effect.Effect<boolean, CacheUnreachable>;
  readonly has: (file: string) => Effect.Effect<boolean, CacheUnreachable>;
  readonly write: (file: string, content: string) => Effect.Effect<void, CacheUnreachable>;
  /**
   * Replaces a small file by what `change` makes of it, or leaves it if that is undefined. No other process of this
   * machine changes it in between, unless it is on a file system without hard links, such as that of most memory cards.
   * HTTP has no locks: a server is told what the file was, and refuses if it is something else by now. Some do not
   * listen to that, so it is looked at again, and changed again if somebody was as quick. What does not stay after some
   * rounds is an error.
   */
  readonly update: (file: string, change: Change) => Effect.Effect<void, CacheUnreachable | CacheFileUnsettled>;
  readonly upload: (file: string, source: string) => Effect.Effect<void, CacheUnreachable>;
  /** Deletes what killed processes left in a directory. A server tends its own. */
  readonly removeLeftovers: Effect.Effect<void, CacheUnreachable>;
}

/** What a small file becomes; it is undefined if there is none. What it gives once, it leaves alone the second time. */
export type Change = (text: string | undefined) => string | undefined;

/** Opens the cache at `file://<absolute path>`, `http://…` or `https://…`. */
export const openCache = (url: string): Effect.Effect<CacheFiles, CacheUnreachable, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) => {
    const directory = directoryOf(url);
    if (directory !== undefined) return Effect.succeed(directoryFiles(fs, url, directory));
    if (/^https?:\/\//.test(url)) return Effect.succeed(httpFiles(fs, url.replace(/\/+$/, "")));
    return Effect.fail(
      new CacheUnreachable({
        cache: url,
        file: "nix-cache-info",
        reason: "a cache is a file:///absolute/path, http:// or https:// URL",
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

/** The directory that a URL names; undefined for other URLs, and for those of another host's files. */
function directoryOf(url: string): string | undefined {
  if (!url.startsWith("file://")) return undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

function directoryFiles(fs: FileSystemShape, name: string, root: string): CacheFiles {
  const place = (file: string): string => `${root}/${file}`;
  const replace = async (file: string, write: (draft: string) => Promise<void>): Promise<void> => {
    await makeDirectory(fs, dirname(place(file)));
    const draft = `${dirname(place(file))}/${await draftName()}`;
    try {
      await write(draft);
      await fs.promises.rename(draft, place(file));
    } catch (cause) {
      // Why it failed is more worth knowing than that this fails too.
      await fs.promises.rm(draft, { force: true }).catch(() => {});
      throw cause;
    }
  };
  const read = (file: string) => reachable(name, file, () => unlessMissing(fs.promises.readFile(place(file), "utf8")));
  const write = (file: string, content: string) =>
    reachable(name, file, () => replace(file, (draft) => fs.promises.writeFile(draft, content)));
  return {
    name,
    read,
    has: (file) =>
      reachable(name, file, async () => (await unlessMissing(fs.promises.stat(place(file)))) !== undefined),
    download: (file, destination) =>
      reachable(name, file, async () => {
        const copied = fs.promises.copyFile(place(file), destination).then(() => true);
        return (await unlessMissing(copied)) ?? false;
      }),
    write,
    update: Effect.fnUntraced(function* (file, change) {
      const changed = Effect.map(read(file), (text) => {
        const next = change(text);
        return next === text ? undefined : next;
      });
      if ((yield* changed) === undefined) return;
      const writing = Effect.flatMap(changed, (next) => (next === undefined ? Effect.void : write(file, next)));
      yield* reachable(name, file, () => makeDirectory(fs, dirname(place(file))));
      yield* whileLocked(fs, place(file), writing).pipe(
        Effect.catchTag("StoreIoError", ({ cause }) =>
          Effect.fail(new CacheUnreachable({ cache: name, file, reason: reasonOf(cause) })),
        ),
      );
    }),
    upload: (file, source) =>
      reachable(name, file, () => replace(file, (draft) => fs.promises.copyFile(source, draft))),
    removeLeftovers: reachable(name, ".", () => removeLeftovers(fs, root)),
  };
}

/** How often a file is changed over HTTP until what is there stays as it was left. */
const rounds = 8;
/** The longest pauses between them, in milliseconds: the first one, twice as long each time, up to the last. */
const [roundPause, longestRoundPause] = [50, 800];

/** A small file that takes longer does not come, in milliseconds. Archives have the five silent minutes of Node's client. */
const silence = 60_000;

/** What servers answer that have too much to do just now. */
const passing: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const attempts = 3;
/** What they answer if the file is not what it was said to be, is being changed, or, as only some say, is gone. */
const changedMeanwhile: ReadonlySet<number> = new Set([412, 409, 404]);
/** What they answer if they do not know the condition, or none at all. */
const unconditional: ReadonlySet<number> = new Set([400, 501]);
/** What is larger is no small file, in bytes. The longest narinfo has some hundred bytes for each reference. */
const largestText = 16 * 1024 * 1024;
/** Before the second attempt, in milliseconds; twice as long before the third. */
const firstPause = 300;

function httpFiles(fs: FileSystemShape, name: string): CacheFiles {
  /**
   * Undefined for a file that is not there, or that may not be sent. What is sent is made anew for each attempt. What
   * is an answer besides success is for the caller to say.
   */
  const ask = async (
    file: string,
    { body, isAnswer, ...options }: Question,
    attempt = 1,
  ): Promise<Response | undefined> => {
    const response = await fetch(`${name}/${file}`, { ...options, ...(body && { body: body() }) });
    if (response.ok || isAnswer?.(response.status) === true) return response;
    await response.body?.cancel();
    // Object stores answer 403 for what is not there.
    if (response.status === 404 || response.status === 403) return undefined;
    // Static servers know no PUT at all, and `store serve` none without --writable.
    if (options.method === "PUT" && (response.status === 405 || response.status === 501)) return undefined;
    if (passing.has(response.status) && attempt < attempts) {
      await setTimeout(firstPause * attempt, undefined, { signal: options.signal ?? undefined });
      return ask(file, { ...options, body, isAnswer }, attempt + 1);
    }
    throw new Error(`the server answered ${response.status} ${response.statusText}`);
  };
  const send = async (file: string, body: Body, signal: AbortSignal, condition?: Condition): Promise<number> => {
    const isAnswer = (status: number) =>
      condition !== undefined && (changedMeanwhile.has(status) || unconditional.has(status));
    // A stream can only be sent while the answer is not awaited.
    const response = await ask(file, {
      method: "PUT",
      signal,
      duplex: "half",
      headers: condition ?? {},
      body,
      isAnswer,
    });
    if (response === undefined) throw new Error("the server does not accept uploads");
    await response.body?.cancel();
    return response.status;
  };
  /** The text, and the condition that it is the same; of a weak tag, that cannot be said. */
  const look = (file: string, headers: Record<string, string>) =>
    reachable(name, file, async (signal) => {
      const response = await ask(file, { signal: limited(signal), headers });
      const tag = response?.headers.get("etag") ?? undefined;
      if (response === undefined) return { text: undefined, condition: { "if-none-match": "*" } };
      return { text: await textOf(response), condition: tag?.startsWith('"') ? { "if-match": tag } : undefined };
    });
  const write = (file: string, content: string, condition?: Condition) =>
    reachable(name, file, (signal) => send(file, () => content, signal, condition));
  return {
    name,
    read: (file) => Effect.map(look(file, {}), ({ text }) => text),
    has: (file) =>
      reachable(
        name,
        file,
        async (signal) => (await ask(file, { method: "HEAD", signal: limited(signal) })) !== undefined,
      ),
    download: (file, destination, limit = Infinity) =>
      reachable(name, file, async (signal) => {
        const response = await ask(file, { signal });
        if (response === undefined) return false;
        await pipeline(chunksOf(response, limit), fs.createWriteStream(destination), { signal });
        return true;
      }),
    write: (file, content) => Effect.asVoid(write(file, content)),
    update: Effect.fnUntraced(function* (file, change) {
      for (let round = 0; ; round++) {
        // The server's own answer is wanted, not what a proxy remembers of the time before the last round; and its own
        // tag, which those that compress change.
        const { text, condition } = yield* look(file, { "cache-control": "no-cache", "accept-encoding": "identity" });
        const changed = change(text);
        if (changed === undefined || changed === text) return;
        if (round === rounds) {
          return yield* new CacheFileUnsettled({ cache: name, file, rounds, missing: text === undefined });
        }
        const status = yield* write(file, changed, condition);
        if (condition !== undefined && unconditional.has(status)) yield* write(file, changed);
        // Not all at once, or those who change it together would meet again and again.
        const pause = Math.min(roundPause * 2 ** round, longestRoundPause) * Math.random();
        if (round > 0 || changedMeanwhile.has(status)) yield* Effect.sleep(pause);
      }
    }),
    upload: (file, source) =>
      reachable(name, file, async (signal) => {
        await send(file, () => Readable.toWeb(fs.createReadStream(source)), signal);
      }),
    removeLeftovers: Effect.void,
  };
}

type Body = () => NonNullable<RequestInit["body"]>;

interface Question extends Omit<RequestInit, "body"> {
  readonly body?: Body | undefined;
  readonly isAnswer?: ((status: number) => boolean) | undefined;
}

/** One header, under which a file may be replaced. */
type Condition = Readonly<Record<string, string>>;

/** What a server sends, up to the chunk that goes beyond the limit: it may send without end. */
async function* chunksOf(response: Response, limit: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    yield chunk;
    bytes += chunk.length;
    if (bytes > limit) return;
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(response, largestText)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > largestText) throw new Error(`the server sent more than ${largestText} bytes`);
  return bytes.toString("utf8");
}

function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(silence)]);
}
