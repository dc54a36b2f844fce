import * as Effect from "effect/Effect";
import * as Predicate from "effect/Predicate";
import { parseHash } from "#lib/derivations/hash.ts";
import type { Hash } from "#lib/derivations/hash.ts";
import { run } from "#lib/platform/processes.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { InvalidNpmLock, RegistryUnknown } from "./errors.ts";

/** One tarball of a package, pinned by an npm lock file. */
export interface NpmPin {
  /** "name" or "@scope/name". */
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The registry that the host's npm is set up for, without a slash at the end.
 * Pins name packages, not hosts; the variable `npm_config_registry` decides,
 * then npm's own configuration.
 */
export const npmRegistry = (
  environment: Environment = process.env,
): Effect.Effect<string, RegistryUnknown, Processes> =>
  Effect.gen(function* () {
    const said = environment["npm_config_registry"] ?? environment["NPM_CONFIG_REGISTRY"] ?? "";
    if (said !== "") return yield* checked(said);
    const env: Record<string, string> = {};
    for (const name of ["PATH", "HOME", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_GLOBALCONFIG"]) {
      const value = environment[name];
      if (value !== undefined) env[name] = value;
    }
    const finished = yield* run({ command: "npm", args: ["config", "get", "registry"], env }).pipe(
      Effect.mapError((cause) => new RegistryUnknown({ reason: cause.message })),
    );
    if (finished.code !== 0)
      return yield* new RegistryUnknown({ reason: `'npm config get registry' failed: ${finished.stderr.trim()}` });
    return yield* checked(finished.stdout.trim());
  });

function checked(registry: string): Effect.Effect<string, RegistryUnknown> {
  if (URL.canParse(registry) && /^https?:$/.test(new URL(registry).protocol))
    return Effect.succeed(registry.replace(/\/+$/, ""));
  return Effect.fail(new RegistryUnknown({ reason: `'${registry}' is not an http URL` }));
}

/** Where a registry keeps a package's tarball. */
export function npmTarballUrl(registry: string, name: string, version: string): string {
  const file = name.slice(name.indexOf("/") + 1);
  return `${registry}/${name}/-/${file}-${encodeURIComponent(version)}.tgz`;
}

/** What a package may be called by npm's rules; anything else could change the URL. */
export function isNpmName(name: string): boolean {
  return name.length <= 214 && /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name);
}

/**
 * The tarballs that a `package-lock.json` (version 2 or 3) pins, each once,
 * sorted by name and version. Links to directories of the same repository are
 * passed over; what comes from anywhere but a registry is an error, since it
 * has no tarball there.
 */
export const readNpmLock = (file: string, text: string): Effect.Effect<readonly NpmPin[], InvalidNpmLock> =>
  Effect.try({
    try: () => parseNpmLock(file, text),
    catch: (cause) => (cause instanceof InvalidNpmLock ? cause : new InvalidNpmLock({ file, reason: String(cause) })),
  });

function parseNpmLock(file: string, text: string): readonly NpmPin[] {
  const invalid = (reason: string, entry?: string): InvalidNpmLock =>
    new InvalidNpmLock({ file, reason, ...(entry === undefined ? {} : { entry }) });
  const json: unknown = JSON.parse(text);
  const packages = Predicate.hasProperty(json, "packages") ? json.packages : undefined;
  if (!Predicate.isReadonlyObject(packages)) throw invalid("it has no 'packages'; npm 7 or later writes them");
  const pins = new Map<string, NpmPin>();
  for (const [path, value] of Object.entries(packages)) {
    const start = path.lastIndexOf("node_modules/");
    if (start < 0 || !Predicate.isReadonlyObject(value)) continue;
    const {
      name = path.slice(start + "node_modules/".length),
      version,
      integrity,
      link,
      inBundle,
    } = value as Record<string, unknown>;
    // A bundled package lies in the tarball of the one that needs it.
    if (link === true || inBundle === true) continue;
    if (!Predicate.isString(name) || !isNpmName(name)) throw invalid("its name is not a package's", path);
    if (!Predicate.isString(version)) throw invalid("it has no version", path);
    if (!Predicate.isString(integrity))
      throw invalid("it has no integrity hash, so it does not come from a registry", path);
    const pin = { name, version, hash: strongest(integrity, () => invalid(`'${integrity}' is not a hash`, path)) };
    const known = pins.get(`${name}@${version}`);
    if (known !== undefined && known.hash.hex !== pin.hash.hex)
      throw invalid("it is pinned twice, by different hashes", path);
    pins.set(`${name}@${version}`, pin);
  }
  return [...pins].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, pin]) => pin);
}

/** An integrity field may hold several hashes; the longest is the strongest. */
function strongest(integrity: string, invalid: () => InvalidNpmLock): Hash {
  try {
    const hashes = integrity
      .split(/\s+/)
      .filter(Boolean)
      .map((text) => parseHash(text));
    const [first] = hashes.sort((a, b) => b.hex.length - a.hex.length);
    if (first !== undefined) return first;
  } catch {
    // Said below, with its place.
  }
  throw invalid();
}
