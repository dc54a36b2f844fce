import * as Effect from "effect/Effect";
import * as Predicate from "effect/Predicate";
import { parseHash } from "#lib/derivations/hash.ts";
import type { Hash } from "#lib/derivations/hash.ts";
import { run } from "#lib/platform/processes.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { InvalidNpmLock, RegistryUnknown } from "./errors.ts";

/** One package of a `node_modules` tree, pinned by an npm lock file. */
export interface NpmPackage {
  /** Where it is unpacked: "node_modules/a", "node_modules/a/node_modules/@scope/b". */
  readonly path: string;
  /** "name" or "@scope/name". */
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
  /** Programs that it offers: name → file in the package. */
  readonly programs: Readonly<Record<string, string>>;
  /** Where it runs: empty lists for everywhere; "!win32" excludes. */
  readonly platforms: {
    readonly os: readonly string[];
    readonly cpu: readonly string[];
    readonly libc: readonly string[];
  };
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
 * The packages that a `package-lock.json` (version 2 or 3) pins, sorted by
 * their place. Links to directories of the same repository are passed over;
 * what comes from anywhere but a registry is an error, since it has no tarball
 * there.
 *
 * @throws InvalidNpmLock
 */
export function parseNpmLock(file: string, text: string): readonly NpmPackage[] {
  const invalid = (reason: string, entry?: string): InvalidNpmLock =>
    new InvalidNpmLock({ file, reason, ...(entry === undefined ? {} : { entry }) });
  const packages = packagesOf(text, invalid);
  if (!Predicate.isReadonlyObject(packages)) throw invalid("it has no 'packages'; npm 7 or later writes them");
  const hashes = new Map<string, string>();
  const found: NpmPackage[] = [];
  for (const [path, value] of Object.entries(packages)) {
    const start = path.lastIndexOf("node_modules/");
    if (start < 0 || !Predicate.isReadonlyObject(value)) continue;
    const entry = value as Readonly<Record<string, unknown>>;
    const { name = path.slice(start + "node_modules/".length), version, integrity } = entry;
    // A bundled package lies in the tarball of the one that needs it.
    if (entry["link"] === true || entry["inBundle"] === true) continue;
    if (!Predicate.isString(name) || !isNpmName(name)) throw invalid("its name is not a package's", path);
    if (!isPlace(path)) throw invalid("it is no place in a node_modules tree", path);
    if (!Predicate.isString(version)) throw invalid("it has no version", path);
    if (!Predicate.isString(integrity))
      throw invalid("it has no integrity hash, so it does not come from a registry", path);
    const hash = strongest(integrity, () => invalid(`'${integrity}' is not a hash`, path));
    const known = hashes.get(`${name}@${version}`);
    if (known !== undefined && known !== hash.hex) throw invalid("it is pinned twice, by different hashes", path);
    hashes.set(`${name}@${version}`, hash.hex);
    const { os, cpu, libc, bin } = entry;
    found.push({
      path,
      name,
      version,
      hash,
      programs: programsOf(bin, () => invalid("its programs are not files of the package", path)),
      platforms: { os: words(os), cpu: words(cpu), libc: words(libc) },
    });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function packagesOf(text: string, invalid: (reason: string) => InvalidNpmLock): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(`it is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return Predicate.hasProperty(json, "packages") ? json.packages : undefined;
}

/** Names of packages and `node_modules` in turn: nothing that could leave the tree. */
function isPlace(path: string): boolean {
  return path.split(/(?:^|\/)node_modules\//).every((part, index) => (index === 0 ? part === "" : isNpmName(part)));
}

function programsOf(bin: unknown, invalid: () => InvalidNpmLock): Readonly<Record<string, string>> {
  if (!Predicate.isReadonlyObject(bin)) return {};
  return Object.fromEntries(
    Object.entries(bin).map(([name, file]) => {
      if (!/^[A-Za-z0-9._-]+$/.test(name) || !Predicate.isString(file) || file.split("/").includes(".."))
        throw invalid();
      return [name, file];
    }),
  );
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(Predicate.isString) : [];
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
