import { fileURLToPath } from "node:url";
import type { Hash } from "#lib/derivations/hash.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { HttpAnswer, HttpClient } from "./http.ts";
import type { OpenPart, PartFile } from "./part-file.ts";

/** How one attempt at one URL ended. Errors of the disk are thrown instead. */
export type Outcome =
  | { readonly kind: "complete"; readonly bytes: number }
  /** This URL will never give the file. */
  | { readonly kind: "gone"; readonly status?: number; readonly reason: string }
  /** Other bytes than expected; `actual` is their hash or size. */
  | { readonly kind: "different"; readonly status?: number; readonly reason: string; readonly actual: string }
  /** The server answers, but will not give the file. */
  | { readonly kind: "refused"; readonly status?: number; readonly reason: string }
  /** No connection. */
  | { readonly kind: "unreachable"; readonly status?: number; readonly reason: string }
  /** Something that may pass: a busy server, a cut connection. */
  | { readonly kind: "failed"; readonly status?: number; readonly reason: string };

export interface TransferOptions {
  readonly fs: FileSystemShape;
  readonly http: HttpClient;
  readonly part: PartFile;
  readonly url: string;
  readonly hash: Hash;
  /** Exactly so many bytes, if that is known. */
  readonly size: number | undefined;
  /** The most that is accepted otherwise. */
  readonly byteLimit: number;
  readonly signal: AbortSignal;
  /** Called now and then with the bytes that are there. */
  readonly progress: (bytes: number) => void;
}

/** Tries once to get the rest of a file from one URL into its part file. */
export async function transfer(options: TransferOptions): Promise<Outcome> {
  const part = await options.part.open();
  let complete = false;
  let wrong = false;
  try {
    if (options.size !== undefined && part.bytes() > options.size) await part.restart();
    const resumed = part.bytes();
    const outcome = await (options.url.startsWith("file:") ? readFile(options, part) : readHttp(options, part));
    // Wrong bytes may be those of an earlier attempt at another mirror; this one deserves a fresh start.
    if (outcome.kind === "different" && resumed > 0) {
      await part.restart();
      return { kind: "failed", reason: `${outcome.reason}, counting ${resumed} bytes of an earlier attempt` };
    }
    complete = outcome.kind === "complete";
    wrong = outcome.kind === "different";
    return outcome;
  } finally {
    await part.close();
    if (wrong || (part.bytes() === 0 && !complete)) await options.part.discard();
  }
}

/** Timeout, too early, too many requests: what a later attempt may not meet. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

async function readHttp(options: TransferOptions, part: OpenPart): Promise<Outcome> {
  const { http, url, size, signal } = options;
  // Nothing is missing, only the check.
  if (size !== undefined && part.bytes() === size) return verify(options, part);
  let answer: HttpAnswer;
  try {
    answer = await http.get(url, part.bytes(), signal);
  } catch (cause) {
    signal.throwIfAborted();
    return { kind: "unreachable", reason: reasonOf(cause) };
  }
  const { status, headers, body } = answer;
  try {
    switch (status) {
      case 200:
        if (part.bytes() > 0) await part.restart();
        break;
      case 206:
        if (rangeStart(headers["content-range"]) !== part.bytes()) {
          await part.restart();
          return { kind: "failed", status, reason: "the server sent another range than asked for" };
        }
        break;
      case 416:
        // We have all there is, or more.
        return await verify(options, part);
      case 404:
      case 410:
        return { kind: "gone", status, reason: `status ${status}` };
      default: {
        const kind = status >= 500 || passing.has(status) ? "failed" : "refused";
        return { kind, status, reason: `status ${status}` };
      }
    }
    const announced = Number(headers["content-length"] ?? Number.NaN);
    const total = part.bytes() + announced;
    if (size !== undefined && !Number.isNaN(total) && total !== size) {
      return { kind: "different", status, reason: `${total} bytes instead of ${size}`, actual: `${total} bytes` };
    }
    if (size === undefined && total > options.byteLimit) return { status, ...tooLarge(options.byteLimit) };
    const received = await receive(options, part, body);
    if (received !== undefined) return received;
    const wanted = size ?? total;
    if (part.bytes() < wanted) {
      return { kind: "failed", status, reason: `the connection ended after ${part.bytes()} of ${wanted} bytes` };
    }
    return await verify(options, part);
  } finally {
    body.destroy();
  }
}

async function readFile(options: TransferOptions, part: OpenPart): Promise<Outcome> {
  const path = fileURLToPath(options.url);
  await part.restart();
  try {
    await options.fs.promises.access(path);
  } catch (cause) {
    const missing = errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR";
    // As a server would say it.
    if (missing) return { kind: "gone", status: 404, reason: "no such file" };
    return { kind: "failed", reason: reasonOf(cause) };
  }
  return (await receive(options, part, options.fs.createReadStream(path))) ?? verify(options, part);
}

/** Appends a body; undefined if it came to an end that looks like one. */
async function receive(
  options: TransferOptions,
  part: OpenPart,
  body: AsyncIterable<Uint8Array>,
): Promise<Outcome | undefined> {
  const { signal, progress } = options;
  const limit = options.size ?? options.byteLimit;
  const iterator = body[Symbol.asyncIterator]();
  let last = Date.now();
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await iterator.next();
    } catch (cause) {
      signal.throwIfAborted();
      return { kind: "failed", reason: `after ${part.bytes()} bytes: ${reasonOf(cause)}` };
    }
    signal.throwIfAborted();
    if (next.done === true) return undefined;
    if (part.bytes() + next.value.byteLength > limit) return tooLarge(limit);
    await part.append(next.value);
    const now = Date.now();
    if (now - last >= progressMilliseconds) {
      last = now;
      progress(part.bytes());
    }
  }
}

const progressMilliseconds = 200;

const tooLarge = (limit: number) =>
  ({ kind: "different", reason: `more than ${limit} bytes`, actual: `more than ${limit} bytes` }) as const;

async function verify({ hash }: TransferOptions, part: OpenPart): Promise<Outcome> {
  const bytes = part.bytes();
  const actual = part.digest();
  if (actual === hash.hex) return { kind: "complete", bytes };
  return { kind: "different", reason: "the content has another hash", actual: `${hash.algorithm}:${actual}` };
}

function rangeStart(header: string | undefined): number | undefined {
  const match = /^bytes ([0-9]+)-/.exec(header ?? "");
  return match === null ? undefined : Number(match[1]);
}

function reasonOf(cause: unknown): string {
  // Connecting to a name with several addresses fails with all their errors at once.
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  // Node's words for a body that ends too early.
  if (cause instanceof Error && cause.message === "aborted") return "the connection was cut";
  if (cause instanceof Error && cause.message !== "") return cause.message;
  return errorCode(cause) ?? String(cause);
}
