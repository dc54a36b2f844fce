import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Stats } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { makeDirectory } from "#lib/platform/make-directory.ts";
import { attempt } from "../attempt.ts";
import { type StoreError, StoreIoError } from "../errors.ts";
import { whileLocked } from "./cache-lock.ts";
import { draftName, removeLeftovers } from "./leftovers.ts";

/** How to serve a cache. */
export interface ServerOptions {
  /** The cache's directory. */
  readonly directory: string;
  /** Any free port by default. */
  readonly port?: number;
  /** Accept uploads. */
  readonly writable?: boolean;
}

/** The only names that a cache has. None of them leads elsewhere. */
const cacheFile = /^\/(nix-cache-info|[0-9a-z]{32}\.narinfo|(nar|realisations)\/[0-9A-Za-z][0-9A-Za-z+\-._?=!:]*)$/;

/**
 * Serves the directory of a binary cache over HTTP on the loopback interface, until the scope ends.
 *
 * @returns its URL
 */
export const serveCache = (options: ServerOptions): Effect.Effect<string, StoreError, FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    // A directory to fill may come into being; to take from one that is not there is a slip.
    const { directory, writable = false } = options;
    if (!writable) yield* attempt("serve", directory, () => fs.promises.readdir(directory));
    else yield* attempt("delete leftovers in", directory, () => removeLeftovers(fs, directory));
    const server = yield* Effect.acquireRelease(listen(fs, options), (running) =>
      Effect.promise(
        () =>
          new Promise<void>((resume) => {
            running.close(() => resume());
            running.closeAllConnections();
          }),
      ),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

function listen(fs: FileSystemShape, options: ServerOptions): Effect.Effect<Server, StoreIoError> {
  return Effect.callback<Server, StoreIoError>((resume) => {
    const server = createServer((request, response) => {
      answer(fs, options, request, response).catch(() => response.destroy());
    });
    server.once("error", (cause) => {
      const problem = portProblems[errorCode(cause) ?? ""] ?? cause.message;
      const explained = new Error(`${problem}. Choose another port with --port`, { cause });
      const path = String(options.port ?? 0);
      resume(Effect.fail(new StoreIoError({ operation: "listen on port", path, cause: explained })));
    });
    server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.succeed(server)));
  });
}

const portProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EACCES: "it takes the administrator's rights",
};

async function answer(
  fs: FileSystemShape,
  { directory, writable = false }: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = (status: number): void => void response.writeHead(status).end();
  const [, name] = /^([^?#]*)/.exec(request.url ?? "") ?? [];
  if (name === undefined || !cacheFile.test(decode(name))) return end(404);
  const file = directory + decode(name);
  switch (request.method) {
    case "GET":
    case "HEAD":
      return send(fs, file, request.method === "HEAD", response);
    case "PUT":
      if (!writable) return end(405);
      return end((await receive(fs, file, request, closed(response))) ? 201 : 412);
    default:
      return end(405);
  }
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return "";
  }
}

async function send(fs: FileSystemShape, file: string, headOnly: boolean, response: ServerResponse): Promise<void> {
  let handle;
  try {
    handle = await fs.promises.open(file, "r");
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
    response.writeHead(404).end();
    return;
  }
  // The file may be replaced by now: what is told of it is told of what is sent.
  try {
    const stats = await handle.stat();
    const type = file.endsWith(".narinfo") ? "text/x-nix-narinfo" : "application/octet-stream";
    response.writeHead(200, { "content-length": stats.size, "content-type": type, etag: tagOf(stats) });
    if (headOnly) response.end();
    else await pipeline(handle.createReadStream({ autoClose: false }), response);
  } finally {
    await handle.close();
  }
}

/** Tells a file from every other one that takes its place. */
const tagOf = ({ ino, mtimeMs, size }: Pick<Stats, "ino" | "mtimeMs" | "size">): string =>
  `"${ino}-${mtimeMs}-${size}"`;

/**
 * An upload is seen by others only when it is complete.
 *
 * @returns false if it should replace something else than is there
 */
async function receive(
  fs: FileSystemShape,
  file: string,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<boolean> {
  await makeDirectory(fs, dirname(file));
  const draft = `${dirname(file)}/${await draftName()}`;
  const { "if-match": same, "if-none-match": none } = request.headers;
  const replace = async (): Promise<boolean> => {
    const present = (same ?? none) === undefined ? undefined : await tagAt(fs, file);
    if (same !== undefined && !names(same, present)) return false;
    if (none !== undefined && names(none, present)) return false;
    await fs.promises.rename(draft, file);
    return true;
  };
  let replaced = false;
  try {
    await pipeline(request, fs.createWriteStream(draft));
    // Archives are named by their content: who is as quick writes the same.
    replaced =
      file.endsWith(".narinfo") || file.endsWith(".doi") ? await alone(fs, file, replace, signal) : await replace();
    return replaced;
  } finally {
    // Why it failed is more worth knowing than that this fails too.
    if (!replaced) await fs.promises.rm(draft, { force: true }).catch(() => {});
  }
}

const alone = (
  fs: FileSystemShape,
  file: string,
  action: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> =>
  Effect.runPromise(whileLocked(fs, file, Effect.uninterruptible(Effect.promise(action))), { signal });

/** Aborted when nobody waits for an answer any more. */
function closed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => controller.abort());
  return controller.signal;
}

/** Whether a condition's header means a file: any, or one of those with these tags. */
const names = (header: string, tag: string | undefined): boolean =>
  tag !== undefined && (header.trim() === "*" || header.split(",").some((part) => part.trim() === tag));

async function tagAt(fs: FileSystemShape, file: string): Promise<string | undefined> {
  try {
    return tagOf(await fs.promises.stat(file));
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw cause;
  }
}
