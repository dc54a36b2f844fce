import * as Effect from "effect/Effect";
import { fileURLToPath } from "node:url";
import { runLoop } from "#lib/archives/loop.ts";
import type { Hash } from "#lib/derivations/hash.ts";
import { emit, Events } from "#lib/platform/events.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { FetchFileError, FileGone, HashMismatch, InvalidUrl, NetworkUnreachable } from "./errors.ts";
import type { Attempt, FetchError } from "./errors.ts";
import { Network } from "./network.ts";
import { PartFile } from "./part-file.ts";
import { transfer } from "./transfer.ts";
import type { Outcome } from "./transfer.ts";

export interface DownloadRequest {
  /** What events and errors call it. */
  readonly name: string;
  /** Tried in order: `http:`, `https:` or `file:`. */
  readonly urls: readonly string[];
  readonly hash: Hash;
  /** Bytes, where the pin says so; not one more is accepted. */
  readonly size?: number;
  /** Where the complete, verified file goes. Its directory exists. */
  readonly destination: string;
  /**
   * An existing directory, on the destination's file system, for what has
   * arrived so far. A later call with the same hash goes on from there; the
   * caller sees to it that there is one call for a hash at a time.
   */
  readonly partial: string;
  /** The path within the mirrors, for messages; default the first URL. */
  readonly path?: string;
}

/**
 * Downloads one file and verifies it while it arrives. A mirror that fails is
 * followed by the next; when all have failed for a reason that may pass, they
 * are tried again after a pause. The destination is either complete and
 * verified, or not there.
 */
export const download = (request: DownloadRequest): Effect.Effect<void, FetchError, FileSystem | Network | Events> =>
  Effect.gen(function* () {
    const { name, urls, size } = request;
    const path = request.path ?? urls[0] ?? "";
    const network = yield* Network;
    const { settings, permits, unreachable } = network;
    for (const url of urls) {
      const problem = urlProblem(url);
      if (problem !== undefined) return yield* new InvalidUrl({ name, url, reason: problem });
    }
    const attempts = new Map<string, Attempt>();
    let mismatch: HashMismatch | undefined;
    /** URLs that may still give the file. */
    let open = [...new Set(urls)];
    const one = Effect.gen(function* () {
      yield* emit({ type: "fetch-started", name, bytes: size });
      for (let round = 0; round < settings.rounds && open.length > 0; round++) {
        if (round > 0) yield* Effect.sleep(settings.backoffMilliseconds * 2 ** (round - 1));
        for (const url of knownUnreachableLast(open, unreachable)) {
          const outcome = yield* attemptOne(request, url);
          if (outcome.kind === "complete") return yield* finish(request, url, outcome.bytes);
          attempts.set(url, {
            url,
            reason: outcome.reason,
            ...(outcome.status === undefined ? {} : { status: outcome.status }),
          });
          if (outcome.kind === "different") {
            const expected = `${request.hash.algorithm}:${request.hash.hex}`;
            mismatch = new HashMismatch({ name, url, expected, actual: outcome.actual });
          }
          if (outcome.kind === "unreachable") unreachable.add(origin(url));
          if (outcome.kind !== "failed" && outcome.kind !== "unreachable") open = open.filter((other) => other !== url);
          yield* emit({ type: "fetch-retry", name, url, reason: outcome.reason });
        }
      }
      if (mismatch !== undefined) return yield* mismatch;
      const tried = urls.flatMap((url) => attempts.get(url) ?? []);
      // A mirror that cannot be reached cannot vouch for the file, so one clear answer decides.
      const gone = tried.some(({ status }) => status === 404 || status === 410);
      return yield* gone
        ? new FileGone({ name, path, mirrored: request.path !== undefined, attempts: tried })
        : new NetworkUnreachable({ name, path, attempts: tried });
    });
    return yield* permits.withPermit(one);
  });

const attemptOne = (
  request: DownloadRequest,
  url: string,
): Effect.Effect<Outcome, FetchError, FileSystem | Network | Events> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem;
    const { http, settings } = yield* Network;
    const { byteLimit } = settings;
    const events = yield* Events;
    const part = new PartFile(fs, request.partial, request.hash);
    const progress = (bytes: number): void => events.emit({ type: "fetch-progress", name: request.name, bytes });
    return yield* runLoop((signal) =>
      transfer({ fs, http, part, url, signal, progress, size: request.size, byteLimit, hash: request.hash }),
    ).pipe(
      Effect.catch((cause) =>
        errorCode(cause) === undefined
          ? Effect.die(cause)
          : Effect.fail(new FetchFileError({ path: part.path, cause })),
      ),
    );
  });

const finish = Effect.fnUntraced(function* (request: DownloadRequest, url: string, bytes: number) {
  const fs = yield* FileSystem;
  const part = new PartFile(fs, request.partial, request.hash);
  yield* Effect.tryPromise({
    try: () => part.publish(request.destination),
    catch: (cause) => new FetchFileError({ path: request.destination, cause }),
  });
  yield* emit({ type: "fetch-finished", name: request.name, bytes, url });
});

function urlProblem(url: string): string | undefined {
  if (!URL.canParse(url)) return "it is not a URL";
  const parsed = new URL(url);
  switch (parsed.protocol) {
    case "http:":
    case "https:":
      return undefined;
    case "file:":
      try {
        fileURLToPath(parsed);
        return undefined;
      } catch {
        return "a file URL must name a path on this host";
      }
    default:
      return `'${parsed.protocol}' is not supported; there are http:, https: and file:`;
  }
}

function origin(url: string): string {
  return new URL(url).origin;
}

function knownUnreachableLast(urls: readonly string[], unreachable: ReadonlySet<string>): readonly string[] {
  const late = (url: string): boolean => unreachable.has(origin(url));
  return [...urls.filter((url) => !late(url)), ...urls.filter(late)];
}
