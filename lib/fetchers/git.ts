import * as Effect from "effect/Effect";
import { StreamSource } from "#lib/archives/byte-source.ts";
import { defaultByteLimit } from "#lib/archives/entry-path.ts";
import type { LinkRule } from "#lib/archives/entry-path.ts";
import { ArchiveTooLarge, attempt } from "#lib/archives/errors.ts";
import type { ArchiveError } from "#lib/archives/errors.ts";
import { TreeWriter } from "#lib/archives/tree-writer.ts";
import { emit } from "#lib/platform/events.ts";
import type { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes, run } from "#lib/platform/processes.ts";
import { GitFailed, GitMissing, RevisionMissing } from "./errors.ts";
import { parseTree, writeBlobs } from "./git-tree.ts";
import { Network } from "./network.ts";

export interface GitRequest {
  /** What events and errors call it. */
  readonly name: string;
  /** `https:`, `http:`, `ssh:`, `git:` or `file:`, or a path. */
  readonly url: string;
  /** The full hash of a commit. */
  readonly revision: string;
  /** The directory to create. */
  readonly destination: string;
  /** An existing directory for the repository, which the caller removes. */
  readonly scratch: string;
  /** How symbolic links are judged. Default "tree". */
  readonly links?: LinkRule;
  readonly byteLimit?: number;
}

export type GitError = GitMissing | GitFailed | RevisionMissing | ArchiveError;

/**
 * Exports one revision of a git repository, without `.git`.
 *
 * Blobs are written exactly as they are stored: no attribute changes line
 * ends, substitutes text or leaves files out, so the result depends on the
 * revision alone. Submodules become empty directories. The user's own git
 * configuration and credentials are used for the transfer, which cannot change
 * the content.
 */
export const fetchGit = (
  request: GitRequest,
): Effect.Effect<void, GitError, FileSystem | Processes | Network | Events> =>
  Effect.gen(function* () {
    const { name, url, revision } = request;
    if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(revision)) {
      return yield* new RevisionMissing({ name, url, revision, reason: "it is not the full hash of a commit" });
    }
    const { permits } = yield* Network;
    yield* emit({ type: "fetch-started", name, bytes: undefined });
    yield* permits.withPermit(transfer(request));
    const bytes = yield* exportTree(request);
    yield* emit({ type: "fetch-finished", name, bytes, url });
  });

/** The commit alone where the server allows that, and everything that it has where it does not. */
const transfer = Effect.fnUntraced(function* (request: GitRequest) {
  const { name, url, revision } = request;
  const format = revision.length === 64 ? ["--object-format=sha256"] : [];
  yield* git(request, ["init", "--quiet", "--bare", ...format, repository(request)], { inRepository: false });
  const fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no"];
  const shallow = yield* Effect.result(git(request, [...fetch, "--depth=1", "--", url, revision]));
  if (shallow._tag === "Success") return;
  if (shallow.failure._tag === "GitMissing") return yield* shallow.failure;
  yield* emit({ type: "fetch-retry", name, url, reason: "the server does not hand out single commits" });
  yield* git(request, [...fetch, "--", url, "+refs/*:refs/*"]);
});

const exportTree = Effect.fnUntraced(function* (request: GitRequest) {
  const { name, url, revision, destination } = request;
  const found = yield* Effect.result(git(request, ["cat-file", "-e", `${revision}^{commit}`]));
  if (found._tag === "Failure") {
    return yield* new RevisionMissing({ name, url, revision, reason: "the repository has no such commit" });
  }
  const listing = yield* git(request, ["ls-tree", "-r", "-z", "-l", "--full-tree", revision]);
  const fs = yield* FileSystem;
  const processes = yield* Processes;
  const tree = yield* attempt(url, async () => parseTree(url, listing));
  const bytes = tree.reduce((total, entry) => total + entry.size, 0);
  const limit = request.byteLimit ?? defaultByteLimit;
  if (bytes > limit) return yield* new ArchiveTooLarge({ archive: url, what: "bytes", limit });
  const child = yield* processes
    .spawn({
      command: "git",
      args: ["--git-dir", repository(request), "cat-file", "--batch", "--buffer"],
      env: environment(),
      stderr: "ignore",
    })
    .pipe(Effect.mapError((cause) => new GitMissing({ name, cause })));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) return yield* Effect.die(new TypeError("git was started without pipes"));
  const writer = new TreeWriter(fs, destination);
  yield* attempt(destination, (signal) => {
    signal.addEventListener("abort", () => stdout.destroy());
    return writeBlobs(url, tree, { stdin, source: new StreamSource(stdout) }, writer, request.links ?? "tree");
  }).pipe(Effect.ensuring(Effect.promise(() => writer.settled())));
  return bytes;
}, Effect.scoped);

/** Runs git to its end; its standard output. */
const git = Effect.fnUntraced(function* (
  request: GitRequest,
  args: readonly string[],
  options: { readonly inRepository: boolean } = { inRepository: true },
) {
  const { name, url } = request;
  const place = options.inRepository ? ["--git-dir", repository(request)] : [];
  const finished = yield* run({ command: "git", args: [...place, ...args], env: environment() }).pipe(
    Effect.mapError((cause) => new GitMissing({ name, cause })),
  );
  if (finished.code === 0) return finished.stdout;
  const command = `git ${args[0]}`;
  return yield* new GitFailed({ name, url, command, detail: finished.stderr.trim() });
});

function repository({ scratch }: GitRequest): string {
  return `${scratch}/repository.git`;
}

/** What git needs to find its configuration, the network and credentials; and nothing may wait for a user's answer. */
function environment(): Record<string, string> {
  const result: Record<string, string> = {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "https:http:ssh:git:file",
  };
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) result[name] = value;
  }
  return result;
}

const inherited = [
  "PATH",
  "HOME",
  "XDG_CONFIG_HOME",
  "SSH_AUTH_SOCK",
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
];
