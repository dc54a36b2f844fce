import * as Argument from "effect/cli/Argument";
import * as Flag from "effect/cli/Flag";
import * as Option from "effect/Option";
import { sizeOf } from "./quantity.ts";
import { type ProgressForm, progressForms } from "./printers/printer.ts";

/** `--json`. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print the result as JSON"),
  Flag.withDefault(false),
);

/** `--progress`. */
export const progress = Flag.Literals("progress", progressForms).pipe(
  Flag.withDescription("How progress is shown: live on a terminal and lines elsewhere, unless you say"),
  Flag.withDefault("auto" as const),
);

/** `--locked`. */
export const locked = Flag.Boolean("locked").pipe(
  Flag.withDescription("Never resolve packages; a lock file that is out of date is an error"),
  Flag.withDefault(false),
);

/** `--set`, by name; of two values for one name the last counts. */
export const set = Flag.String("set").pipe(
  Flag.withDescription("The value of an input of the system, which inputs.options declares; may be repeated"),
  Flag.withMetavar("NAME=VALUE"),
  Flag.atLeast(0),
  Flag.mapTryCatch(
    (texts): Readonly<Record<string, string>> => Object.fromEntries(texts.map(nameAndValue)),
    (error) => (error instanceof Error ? error.message : String(error)),
  ),
);

function nameAndValue(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new TypeError(`NAME=VALUE, got '${text}'`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** `--legacy`. */
export const legacy = Flag.Boolean("legacy").pipe(
  Flag.withDescription("Only warn of what Gaia accepted without a word in a configuration file"),
  Flag.withDefault(false),
);

/** What commands that evaluate, or build, have in common. */
export const watching = {
  locked,
  set,
  legacy,
  progress,
  record: Flag.String("record").pipe(
    Flag.withDescription("Also write every event to this file, for 'replay'"),
    Flag.withMetavar("FILE"),
    Flag.optional,
  ),
};

/** The same, parsed. */
export interface WatchFlags {
  readonly locked: boolean;
  readonly set: Readonly<Record<string, string>>;
  readonly legacy: boolean;
  readonly progress: ProgressForm;
  readonly record: Option.Option<string>;
}

/** `--substituters` and `--trusted-public-keys`. */
export const substitution = {
  substituters: Flag.String("substituters").pipe(
    Flag.withDescription("Binary caches to take results from, separated by spaces; HELIOS_SUBSTITUTERS unless given"),
    Flag.withMetavar("URLS"),
    Flag.optional,
  ),
  trustedPublicKeys: Flag.String("trusted-public-keys").pipe(
    Flag.withDescription(
      "Whose signatures count, as name:base64, separated by spaces; HELIOS_TRUSTED_PUBLIC_KEYS unless given",
    ),
    Flag.withMetavar("KEYS"),
    Flag.optional,
  ),
};

/** The same, parsed. */
export interface SubstitutionFlags {
  readonly substituters: Option.Option<string>;
  readonly trustedPublicKeys: Option.Option<string>;
}

/** What commands that build have in common. */
export const building = {
  jobs: Flag.Int("jobs").pipe(
    Flag.withAlias("j"),
    Flag.filter(
      (jobs) => jobs >= 1,
      (jobs) => `expected at least 1, got ${jobs}`,
    ),
    Flag.withDescription("Builds that run at once; one for each processor by default"),
    Flag.optional,
  ),
  cores: Flag.Int("cores").pipe(
    Flag.filter(
      (cores) => cores >= 1,
      (cores) => `expected at least 1, got ${cores}`,
    ),
    Flag.withDescription("Processors that each build is told to use"),
    Flag.optional,
  ),
  keepGoing: Flag.Boolean("keep-going").pipe(
    Flag.withAlias("k"),
    Flag.withDescription("After a failure, go on with what does not depend on it"),
    Flag.withDefault(false),
  ),
  keepFailed: Flag.Boolean("keep-failed").pipe(
    Flag.withDescription("Keep the directory of a failed build, with a script that runs it again"),
    Flag.withDefault(false),
  ),
  timeout: seconds("timeout").pipe(
    Flag.withDescription("Kill a build that takes longer than this; by default none is"),
    Flag.optional,
  ),
  maxSilentTime: seconds("max-silent-time").pipe(
    Flag.withDescription("Kill a build that says nothing for so long; by default none is"),
    Flag.optional,
  ),
  maxMemory: Flag.String("max-memory").pipe(
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(sizeOf(text)).pipe(Option.filter((size) => size > 0)),
      (text) => `expected a size such as 500M or 4G, got ${text}`,
    ),
    Flag.withDescription("Memory that each process of a build may take, such as 4G; unlimited by default"),
    Flag.withMetavar("SIZE"),
    Flag.optional,
  ),
};

/** A number of seconds; as for Nix, 0 means no limit. */
function seconds(name: string): Flag.Flag<number> {
  return Flag.Int(name).pipe(
    Flag.filter(
      (time) => time >= 0,
      (time) => `expected a number of seconds, got ${time}`,
    ),
    Flag.withMetavar("SECONDS"),
  );
}

/** Zero or more installables. */
export const installables = Argument.String("installable").pipe(
  Argument.withDescription("What to work on, such as .#helios-cm5"),
  Argument.variadic(),
);

/** One installable. */
export const installable = Argument.String("installable").pipe(
  Argument.withDescription("What to work on, such as .#systems.helios-cm5.config.networking.hostName"),
);

/** One installable, or a path. */
export const installableOrPath = Argument.String("installable").pipe(
  Argument.withDescription("Such as .#helios-cm5, ./result or /nix/store/…"),
);

/** Zero or more of these. */
export const installablesOrPaths = installableOrPath.pipe(Argument.variadic());

/** Flags of commands that build. */
export interface BuildFlags {
  readonly jobs: Option.Option<number>;
  readonly cores: Option.Option<number>;
  readonly keepGoing: boolean;
  readonly keepFailed: boolean;
  readonly timeout: Option.Option<number>;
  readonly maxSilentTime: Option.Option<number>;
  readonly maxMemory: Option.Option<number>;
}

/** Build options from parsed flags. */
export function buildOptions(flags: BuildFlags) {
  return {
    jobs: Option.getOrUndefined(flags.jobs),
    cores: Option.getOrUndefined(flags.cores),
    keepGoing: flags.keepGoing,
    keepFailed: flags.keepFailed,
    limits: {
      time: milliseconds(flags.timeout),
      silence: milliseconds(flags.maxSilentTime),
      memory: Option.getOrUndefined(flags.maxMemory),
    },
  };
}

/** 0 is no limit. */
const milliseconds = (seconds: Option.Option<number>): number | undefined =>
  (Option.getOrUndefined(seconds) ?? 0) * 1000 || undefined;
