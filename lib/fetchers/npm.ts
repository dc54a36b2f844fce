import { parseHash } from "#lib/derivations/hash.ts";
import type { Hash } from "#lib/derivations/hash.ts";
import { InvalidNpmLock } from "./errors.ts";

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
  if (!isRecord(packages)) throw invalid("it has no 'packages'; npm 7 or later writes them");
  const hashes = new Map<string, string>();
  const found: NpmPackage[] = [];
  for (const [path, value] of Object.entries(packages)) {
    const start = path.lastIndexOf("node_modules/");
    if (start < 0 || !isRecord(value)) continue;
    const entry = value;
    const { name = path.slice(start + "node_modules/".length), version, integrity } = entry;
    // A bundled package lies in the tarball of the one that needs it.
    if (entry["link"] === true || entry["inBundle"] === true) continue;
    if (typeof name !== "string" || !isNpmName(name)) throw invalid("its name is not a package's", path);
    if (!isPlace(path)) throw invalid("it is no place in a node_modules tree", path);
    if (typeof version !== "string") throw invalid("it has no version", path);
    if (typeof integrity !== "string")
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
  return isRecord(json) ? json["packages"] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names of packages and `node_modules` in turn: nothing that could leave the tree. */
function isPlace(path: string): boolean {
  return path.split(/(?:^|\/)node_modules\//).every((part, index) => (index === 0 ? part === "" : isNpmName(part)));
}

function programsOf(bin: unknown, invalid: () => InvalidNpmLock): Readonly<Record<string, string>> {
  if (!isRecord(bin)) return {};
  return Object.fromEntries(
    Object.entries(bin).map(([name, file]) => {
      if (!/^[A-Za-z0-9._-]+$/.test(name) || typeof file !== "string" || file.split("/").includes(".."))
        throw invalid();
      return [name, file];
    }),
  );
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
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
