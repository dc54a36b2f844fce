import type { CliError } from "effect/cli/CliError";
import type { BuildError, BuildsFailed, ScratchError, UnsuitableDerivation } from "#lib/build/errors.ts";
import type { RecordingError } from "#lib/build/event-recording.ts";
import type { PinsGone } from "#lib/flake/build.ts";
import type { MissingConfiguration, NoConfigurations } from "#lib/flake/configuration.ts";
import type { LockError } from "#lib/flake/errors.ts";
import type { EvaluationFailed } from "#lib/flake/outputs.ts";
import type { InvalidInputs } from "#lib/flake/given-inputs.ts";
import type { InvalidInstallable, UnknownAttribute, UnsuitableOutput } from "#lib/flake/installable.ts";
import type { BootTestError } from "#lib/machine/boot-test.ts";
import type { CacheError } from "#lib/store/cache/errors.ts";
import type { KeySyntaxError } from "#lib/store/signature.ts";
import type {
  LintsFound,
  NoLog,
  NotAStorePath,
  NotReproducible,
  ShellFailed,
  StoreDamaged,
  UnknownOption,
  UnsuitableFlags,
} from "./errors.ts";

/** What the process's exit status tells. Documented in docs/commands.md. */
export const exitCodes = {
  success: 0,
  /** A build, or an assertion of a check, failed. */
  failed: 1,
  /** The command line: an unknown command, flag or attribute. */
  usage: 2,
  /** The flake's own code: options, modules, recipes. */
  evaluation: 3,
  /** The lock file, or the resolution of packages. */
  lock: 4,
  /** The network, or what came from it. */
  fetch: 5,
  /** The store or the disk. */
  store: 6,
  /** A defect of this program. */
  bug: 70,
  /** Interrupted by the user. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Every expected failure of a command. */
export type CommandError = CliError | ActionError;

/** Every expected failure of what a command does. */
export type ActionError =
  | InvalidInputs
  | InvalidInstallable
  | UnknownAttribute
  | UnsuitableOutput
  | MissingConfiguration
  | NoConfigurations
  | EvaluationFailed
  | LockError
  | PinsGone
  | BuildError
  | UnsuitableDerivation
  | ScratchError
  | BootTestError
  | CacheError
  | KeySyntaxError
  | RecordingError
  | NotAStorePath
  | NoLog
  | NotReproducible
  | LintsFound
  | StoreDamaged
  | UnknownOption
  | UnsuitableFlags
  | ShellFailed;

const { failed, usage, evaluation, lock, fetch, store } = exitCodes;

/** The class of each failure. The compiler sees to it that none is forgotten. */
const classes: Readonly<Record<Exclude<CommandError["_tag"], "BuildsFailed">, ExitCode>> = {
  UnrecognizedOption: usage,
  DuplicateOption: usage,
  MissingOption: usage,
  MissingArgument: usage,
  UnexpectedArgument: usage,
  InvalidValue: usage,
  UnknownSubcommand: usage,
  ValidationError: usage,
  UserError: usage,
  ShowHelp: usage,
  InvalidInputs: usage,
  InvalidInstallable: usage,
  UnknownAttribute: usage,
  UnsuitableOutput: usage,
  MissingConfiguration: usage,
  NoConfigurations: usage,
  UnknownEnvironment: usage,
  NotAStorePath: usage,
  UnknownOption: usage,
  UnsuitableFlags: usage,
  KeySyntaxError: usage,
  RecordingError: usage,

  EvaluationFailed: evaluation,
  HashSyntaxError: evaluation,
  StorePathError: evaluation,
  AtermError: evaluation,
  DerivationAttributeError: evaluation,
  TextReferenceError: evaluation,
  ConflictingRequests: evaluation,
  InvalidRequest: evaluation,
  SourceChangedError: evaluation,
  MissingIncludeError: evaluation,
  MissingSourceError: evaluation,
  MissingInputError: evaluation,
  UnsupportedFileError: evaluation,
  InvalidAssertionError: evaluation,

  LockFileMalformed: lock,
  LockFileUnusable: lock,
  LockOutOfDate: lock,
  PinsGone: lock,
  InvalidMirror: lock,
  NoMirrors: lock,
  AptUnusable: lock,
  AptFailed: lock,
  PackageNotFound: lock,
  PackageNotInstallable: lock,
  DependencyConflict: lock,
  ArchiveUnreachable: fetch,

  CacheFileDamaged: fetch,
  NotInCache: fetch,
  UntrustedPath: fetch,
  CacheUnreachable: fetch,
  CacheFileUnsettled: fetch,
  IncompatibleCache: fetch,
  MalformedArchive: fetch,
  UnsafeEntry: fetch,
  ArchiveTooLarge: fetch,
  UnsupportedArchive: fetch,
  LayerConflict: fetch,
  InvalidLayer: fetch,
  DecompressionFailed: fetch,
  DecompressorMissing: failed,
  AptDirectoryUnusable: store,
  ArchiveFileError: store,

  StoreIoError: store,
  StoreDamaged: store,
  ScratchError: store,
  OutputTypeError: failed,
  OutputHashError: failed,
  SelfReferenceError: failed,
  ForbiddenReferenceError: failed,
  InvalidPathError: store,
  NarError: store,
  RootLinkError: store,

  SandboxUnavailable: failed,
  BootTestFailedError: failed,
  MachineStartError: failed,
  UnsuitableDerivation: failed,
  SpawnError: failed,
  NotReproducible: failed,
  LintsFound: failed,
  NoLog: failed,
  ShellFailed: failed,
};

/** The exit code of an expected failure; undefined for anything else, which is a defect. */
export function exitCodeOf(error: unknown): ExitCode | undefined {
  if (typeof error !== "object" || error === null || !("_tag" in error)) return undefined;
  const { _tag: tag } = error as { readonly _tag: string };
  if (tag === "BuildsFailed") return buildsExitCode(error as BuildsFailed);
  return Object.hasOwn(classes, tag) ? classes[tag as keyof typeof classes] : undefined;
}

/** A build that failed for want of a download or of disk space is not the recipe's fault. */
function buildsExitCode({ failures }: BuildsFailed): ExitCode {
  const codes = failures.map(({ error }) => {
    if (error._tag === "BuiltinFailed") return { fetch, store, build: failed }[error.failure.kind];
    if (error._tag === "ScratchError") return store;
    // Of a download, when its builder could not tell before the store did.
    if (error._tag === "HashMismatch") return error.origin === undefined ? failed : fetch;
    return exitCodeOf(error) ?? failed;
  });
  return codes.every((code) => code === codes[0]) ? (codes[0] ?? failed) : failed;
}
