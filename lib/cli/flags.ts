import {
  argument,
  assignmentsFlag,
  choiceFlag,
  countFlag,
  type InputOf,
  manyArguments,
  naturalFlag,
  otherFlag,
  switchFlag,
  textFlag,
  withFallback,
} from "./command.ts";
import { sizeOf } from "./quantity.ts";
import { progressForms } from "./printers/printer.ts";

/** `--json`. */
export const json = switchFlag("json", "Print the result as JSON");

/** `--progress`. */
export const progress = withFallback(
  choiceFlag(
    "progress",
    progressForms,
    "How progress is shown: live on a terminal and lines elsewhere, unless you say",
  ),
  "auto",
);

/** `--set`. */
export const set = assignmentsFlag(
  "set",
  "The value of an input of the system, which inputs.options declares; may be repeated",
);

/** `--legacy`. */
export const legacy = switchFlag("legacy", "Only warn of what Gaia accepted without a word in a configuration file");

/** What commands that evaluate, or build, have in common. */
export const watching = {
  locked: switchFlag("locked", "Never resolve packages; a lock file that is out of date is an error"),
  set,
  legacy,
  progress,
  record: textFlag("record", "Also write every event to this file, for 'replay'", { metavar: "FILE" }),
};

/** The same, read. */
export type WatchFlags = InputOf<typeof watching>;

/** `--substituters` and `--trusted-public-keys`. */
export const substitution = {
  substituters: textFlag(
    "substituters",
    "Binary caches to take results from, separated by spaces; HELIOS_SUBSTITUTERS unless given",
    { metavar: "URLS" },
  ),
  trustedPublicKeys: textFlag(
    "trusted-public-keys",
    "Whose signatures count, as name:base64, separated by spaces; HELIOS_TRUSTED_PUBLIC_KEYS unless given",
    { metavar: "KEYS" },
  ),
};

/** The same, read. */
export type SubstitutionFlags = InputOf<typeof substitution>;

/** What commands that build have in common. */
export const building = {
  jobs: countFlag("jobs", "Builds that run at once; one for each processor by default", { alias: "j" }),
  maxParallel: naturalFlag("max-parallel", "Gaia's name for --jobs; 0 is one for each processor"),
  cores: countFlag("cores", "Processors that each build is told to use"),
  keepGoing: switchFlag("keep-going", "After a failure, go on with what does not depend on it", { alias: "k" }),
  keepFailed: switchFlag("keep-failed", "Keep the directory of a failed build, with a script that runs it again"),
  timeout: naturalFlag("timeout", "Kill a build that takes longer than this; by default none is", {
    metavar: "SECONDS",
  }),
  maxSilentTime: naturalFlag("max-silent-time", "Kill a build that says nothing for so long; by default none is", {
    metavar: "SECONDS",
  }),
  maxMemory: otherFlag("max-memory", "Memory that each process of a build may take, such as 4G; unlimited by default", {
    metavar: "SIZE",
    expected: "a size such as 500M or 4G",
    read: (text) => sizeOf(text) || undefined,
  }),
};

/** The same, read. */
export type BuildFlags = InputOf<typeof building>;

/** Zero or more installables. */
export const installables = manyArguments("installable", "What to work on, such as .#helios-cm5");

/** One installable. */
export const installable = argument(
  "installable",
  "What to work on, such as .#systems.helios-cm5.config.networking.hostName",
);

/** One system. */
export const system = argument("system", "A system of the flake, such as .#helios-cm5, or a configuration file");

const installableOrPathText = "Such as .#helios-cm5, ./result or /nix/store/…";

/** One installable, or a path. */
export const installableOrPath = argument("installable", installableOrPathText);

/** Zero or more of these. */
export const installablesOrPaths = manyArguments("installable", installableOrPathText);

/** Build options from the flags of commands that build. */
export const buildOptions = (flags: BuildFlags) => ({
  // Where both are given, the one that says a number counts.
  jobs: flags.jobs ?? (flags.maxParallel || undefined),
  cores: flags.cores,
  keepGoing: flags.keepGoing,
  keepFailed: flags.keepFailed,
  limits: {
    time: milliseconds(flags.timeout),
    silence: milliseconds(flags.maxSilentTime),
    memory: flags.maxMemory,
  },
});

/** As for Nix, 0 means no limit. */
const milliseconds = (seconds = 0): number | undefined => seconds * 1000 || undefined;
