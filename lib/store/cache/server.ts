import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { makeDirectory } from "#lib/platform/make-directory.ts";
import { attempt } from "../attempt.ts";
import { type StoreError, StoreIoError } from "../errors.ts";
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
      resume(Effect.fail(new StoreIoError({ operation: "listen on port", path: String(options.port ?? 0), cause })));
    });
    server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.succeed(server)));
  });
}

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
      await receive(fs, file, request);
      return end(201);
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
  try {
    const { size } = await fs.promises.stat(file);
    const type = file.endsWith(".narinfo") ? "text/x-nix-narinfo" : "application/octet-stream";
    response.writeHead(200, { "content-length": size, "content-type": type });
    if (headOnly) response.end();
    else await pipeline(fs.createReadStream(file), response);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT" || response.headersSent) throw cause;
    response.writeHead(404).end();
  }
}

/** An upload is seen by others only when it is complete. */
async function receive(fs: FileSystemShape, file: string, request: IncomingMessage): Promise<void> {
  await makeDirectory(fs, dirname(file));
  const draft = `${dirname(file)}/${await draftName()}`;
  try {
    await pipeline(request, fs.createWriteStream(draft));
    await fs.promises.rename(draft, file);
  } catch (cause) {
    await fs.promises.rm(draft, { force: true }).catch(() => {});
    throw cause;
  }
}
