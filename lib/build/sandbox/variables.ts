import { storeDirectory } from "#lib/derivations/store-path.ts";
import { buildDirectory } from "./arguments.ts";

/** How much of the machine a build may use. */
export interface VariableOptions {
  /** What `make -j` should be given. */
  readonly cores: number;
}

/**
 * The exact environment of a sandboxed builder: Nix's, plus a fixed time zone, locale and clock for tools
 * that ask. The derivation may set the first group itself, never the second.
 */
export function sandboxVariables(
  derivationEnv: Readonly<Record<string, string>>,
  { cores }: VariableOptions,
): Record<string, string> {
  return {
    PATH: "/usr/bin:/bin",
    HOME: "/homeless-shelter", // does not exist, so a tool that reads the user's configuration says so
    TZ: "UTC",
    LC_ALL: "C.UTF-8",
    SOURCE_DATE_EPOCH: "1",
    TERM: "dumb",
    NIX_BUILD_CORES: String(cores),
    ...derivationEnv,
    NIX_BUILD_TOP: buildDirectory,
    NIX_STORE: storeDirectory,
    NIX_LOG_FD: "2",
    TMPDIR: buildDirectory,
    TEMPDIR: buildDirectory,
    TMP: buildDirectory,
    TEMP: buildDirectory,
    PWD: buildDirectory,
  };
}

/** A value that reaches the builder as a file, because it is too long for an environment variable. */
export interface ValueFile {
  /** File name below the build directory. */
  readonly file: string;
  readonly content: string;
}

/**
 * Nix's `passAsFile`: the variables that it names become files, and `<name>Path` says where.
 * Linux limits one environment string to 128 KiB; a list of a thousand store paths is longer.
 */
export function passAsFile(env: Readonly<Record<string, string>>): {
  readonly env: Record<string, string>;
  readonly files: readonly ValueFile[];
} {
  const names = (env["passAsFile"] ?? "").split(/\s+/).filter((name) => name !== "" && name in env);
  const rest: Record<string, string> = { ...env };
  const files = names.map((name) => {
    const file = `.attr-${name}`;
    rest[`${name}Path`] = `${buildDirectory}/${file}`;
    delete rest[name];
    return { file, content: env[name] ?? "" };
  });
  return { env: rest, files };
}

/**
 * The variables that cannot be passed on: a NUL byte would end the value (and begin an argument of the sandbox), a
 * slash in a name would lead `passAsFile` out of the build directory.
 */
export function malformedVariables(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) => name === "" || /[=/\0]/.test(name) || value.includes("\0"))
    .map(([name]) => name);
}

/** The longest "NAME=value" that Linux passes to a program (MAX_ARG_STRLEN, with its closing NUL). */
const longestVariable = 128 * 1024 - 1;

/** The variables that no program could be started with. */
export function tooLongVariables(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) => Buffer.byteLength(name) + 1 + Buffer.byteLength(value) > longestVariable)
    .map(([name]) => name);
}
