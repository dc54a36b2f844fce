import * as Data from "effect/Data";
import { constants } from "node:os";
import type { DerivationPath, StorePath } from "#lib/derivations/store-path.ts";
import type { DerivationError } from "#lib/derivations/errors.ts";
import { formatSri, type Hash } from "#lib/derivations/hash.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { StoreError } from "#lib/store/errors.ts";
import type { BuiltinFailure } from "./builtin.ts";
import type { Hint } from "./hints.ts";
import type { LimitExceeded } from "./limits.ts";
import type { SandboxUnavailable } from "./sandbox/bubblewrap.ts";

/** Everything that `build` can fail with. Recognised by `_tag`. */
export type BuildError = DerivationError | StoreError | SandboxUnavailable | BuildsFailed;

/** A build's private directory could not be used. */
export class ScratchError extends Data.TaggedError("ScratchError")<{
  readonly directory: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    const code = errorCode(this.cause);
    const remedy =
      code === "ENOSPC" || code === "EDQUOT"
        ? "The disk is full: free some space, for example with 'store gc'."
        : "Check that the store is writable and its disk in order.";
    return `Cannot use the build directory ${this.directory} (${String(this.cause)}). ${remedy}`;
  }
}

/** Everything that can go wrong with one derivation. */
export type RealisationError =
  | BuilderFailed
  | BuiltinFailed
  | UnsuitableDerivation
  | OutputRefused
  | HashMismatch
  | SandboxUnavailable
  | ScratchError
  | StoreError;

/** One derivation that could not be realised, and what was therefore not tried. */
export interface FailedDerivation {
  readonly derivation: DerivationPath;
  readonly name: string;
  readonly error: RealisationError;
  /** Names of the derivations that depend on it and were to be built. */
  readonly blocks: readonly string[];
}

/** Some derivations could not be realised. Without keep-going it is one. */
export class BuildsFailed extends Data.TaggedError("BuildsFailed")<{
  readonly failures: readonly FailedDerivation[];
}> {
  override get message(): string {
    return this.failures.map(describeFailure).join("\n\n");
  }
}

const mostNames = 5;

function describeFailure({ error, blocks }: FailedDerivation): string {
  if (blocks.length === 0) return error.message;
  const others = blocks.length > mostNames ? ` and ${blocks.length - mostNames} more` : "";
  return `${error.message}\nNot built because of it: ${blocks.slice(0, mostNames).join(", ")}${others}.`;
}

/** Where to look after a failed build. */
export interface FailedBuild {
  readonly name: string;
  /** The resolved derivation, which is in the store. */
  readonly derivation: DerivationPath;
  /** The phase that the builder announced last. */
  readonly phase: string | undefined;
  /** Path of the whole log, its last lines, and what is known about them. */
  readonly log: string;
  /** Why the log could not be read, if so; without a full stop. */
  readonly logProblem: string | undefined;
  readonly lastLines: readonly string[];
  readonly hints: readonly Hint[];
  /** The build directory, with `replay.sh`, if it was kept. */
  readonly kept: string | undefined;
  /** The command that runs this build alone again, if there is one. */
  readonly replay: string | undefined;
}

/** How a builder ended. */
export type BuilderEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "limit"; readonly limit: LimitExceeded }
  | { readonly kind: "outputs-missing"; readonly outputs: readonly string[] };

/** A builder in the sandbox did not make its outputs. */
export class BuilderFailed extends Data.TaggedError("BuilderFailed")<FailedBuild & { readonly end: BuilderEnd }> {
  override get message(): string {
    return `'${this.name}' ${describeEnd(this.end)}${inPhase(this.phase)}.${describeBuild(this)}`;
  }
}

function describeEnd(end: BuilderEnd): string {
  switch (end.kind) {
    case "exit":
      return `failed: its builder ended with exit code ${end.code}${signalOf(end.code)}`;
    case "signal":
      return `failed: its builder was killed by ${end.signal}`;
    case "limit":
      return end.limit.message.replace(/\.$/, "");
    case "outputs-missing":
      return `failed: its builder ended well but did not make ${end.outputs.map((output) => `'$${output}'`).join(", ")}`;
  }
}

/** Shells, and bubblewrap, report a program that was killed as 128 plus the signal. */
function signalOf(code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number);
  return signal === undefined ? "" : ` (${signal[0]})`;
}

const inPhase = (phase: string | undefined): string => (phase === undefined ? "" : ` in phase '${phase}'`);

function describeBuild(build: FailedBuild): string {
  const parts = [
    ...(build.logProblem === undefined
      ? describeLog(build)
      : [`Its log could not be read: ${build.logProblem}. Was it removed while the build ran?`]),
    ...(build.kept === undefined ? [] : [`Build directory: ${build.kept}`]),
    build.replay === undefined
      ? "To look into it, run the same command with --keep-failed: it keeps the build directory, with a script that replays it."
      : `Run it again with: ${build.replay}`,
  ];
  return `\n${parts.join("\n")}`;
}

const describeLog = ({ log, lastLines, hints }: FailedBuild): string[] => [
  ...(lastLines.length === 0
    ? ["Its log is empty."]
    : ["Last lines of its log:", ...lastLines.map((line) => `  > ${shorten(line)}`)]),
  ...hints.map(({ title, advice, evidence }) => `Hint: ${title} ("${shorten(evidence[0] ?? "")}"). ${advice}`),
  `Whole log: ${log}`,
];

/** The most characters of a log's line that are shown. */
const longestShown = 400;

/** Minified code or a dump in one line would push everything else off the screen. */
function shorten(line: string): string {
  return line.length <= longestShown
    ? line
    : `${line.slice(0, longestShown)}… (${line.length - longestShown} more characters)`;
}

/** A builtin builder did not make its outputs. */
export class BuiltinFailed extends Data.TaggedError("BuiltinFailed")<{
  readonly name: string;
  readonly derivation: DerivationPath;
  readonly builder: string;
  readonly log: string;
  readonly failure: BuiltinFailure;
}> {
  override get message(): string {
    // What downloads has no name but the derivation's, and says it as well.
    const { message } = this.failure;
    const named = `${this.name}: `;
    return `'${this.name}' failed: ${message.startsWith(named) ? message.slice(named.length) : message}`;
  }
}

/** A derivation that cannot be built on any machine like this one. */
export class UnsuitableDerivation extends Data.TaggedError("UnsuitableDerivation")<{
  readonly name: string;
  /** One sentence without a full stop. */
  readonly reason: string;
  readonly remedy: string;
}> {
  override get message(): string {
    return `'${this.name}' cannot be built: ${this.reason}. ${this.remedy}`;
  }
}

/** An output that was made but cannot be in the store. */
export class OutputRefused extends Data.TaggedError("OutputRefused")<{
  readonly name: string;
  readonly output: string;
  /** One sentence without a full stop. */
  readonly reason: string;
  readonly remedy: string;
}> {
  override get message(): string {
    return `Output '${this.output}' of '${this.name}' is not accepted: ${this.reason}. ${this.remedy}`;
  }
}

/** The content of a fixed output is not the expected one. */
export class HashMismatch extends Data.TaggedError("HashMismatch")<{
  readonly name: string;
  readonly derivation: DerivationPath;
  readonly path: StorePath;
  readonly expected: Hash;
  readonly actual: Hash;
  /** Where the content came from, if the derivation says so. */
  readonly origin: string | undefined;
}> {
  override get message(): string {
    return [
      `Hash mismatch in '${this.name}'${this.origin === undefined ? "" : ` (${this.origin})`}:`,
      `  expected: ${formatSri(this.expected)}`,
      `  actual:   ${formatSri(this.actual)}`,
      "If the content was meant to change, put the actual hash in place of the expected one; else do not trust where it came from.",
    ].join("\n");
  }
}
