import { ConflictingRequests, InvalidRequest } from "./errors.ts";

/** A Debian architecture that environments are made of. */
export type Architecture = "amd64" | "arm64";

/**
 * What an environment is to contain: the roots of a closure of Debian packages.
 * `flake.lock` remembers the request beside its answer, so a changed request is noticed.
 */
export interface EnvironmentRequest {
  /** Unique in the flake; letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** Code name of the Debian release. */
  readonly suite: "trixie";
  /** Parts of the archive: `main`, `contrib`, `non-free`, `non-free-firmware`. */
  readonly components: readonly string[];
  /** The first is the native one; packages of the second are asked for as `name:architecture`. */
  readonly architectures: readonly Architecture[];
  /** In apt's syntax: `name`, `name:architecture`, `name=version`, `name/trixie-backports`. */
  readonly packages: readonly string[];
  /** Packages (`name`, `name:architecture`) to keep out although others depend on them: they count as installed. */
  readonly excluded?: readonly string[];
  /** Adds every package that Debian marks `Essential: yes` (of the native architecture). */
  readonly essential?: boolean;
  /** Besides the release itself, which only changes with point releases. */
  readonly pockets?: readonly Pocket[];
}

/** Parts of a Debian release that change between point releases. */
export type Pocket = "security" | "backports";

/** One pinned `.deb` file. */
export interface LockedPackage {
  readonly name: string;
  /** Debian version with epoch, such as `1:10.0p1-7`. */
  readonly version: string;
  /** The package's own architecture; `all` for architecture-independent ones. */
  readonly architecture: Architecture | "all";
  /** Below a mirror's base URL, decoded: `pool/main/b/bash/bash_5.2.37-2+b10_amd64.deb`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** An environment's request and the pool paths that answer it, sorted. */
export interface LockedEnvironment {
  readonly request: EnvironmentRequest;
  readonly packages: readonly string[];
}

/** The content of `flake.lock`. It names no hosts and no times. */
export interface Lock {
  readonly environments: ReadonlyMap<string, LockedEnvironment>;
  /** By pool path; environments share entries. */
  readonly packages: ReadonlyMap<string, LockedPackage>;
}

/** A lock that pins nothing. */
export const emptyLock: Lock = { environments: new Map(), packages: new Map() };

/** Why a request has no usable answer in a lock. */
export type MissingReason = "not locked yet" | "its request changed";

/** A request that a lock does not answer. */
export interface MissingEnvironment {
  readonly request: EnvironmentRequest;
  readonly reason: MissingReason;
}

/** What an evaluation sees of the lock file. It notes what is asked for and what could not be answered. */
export interface LockView {
  /**
   * The pinned closure for a request, sorted by pool path. Empty when the lock has no answer to exactly
   * this request; then the request is in `missing`, and the evaluation is to be repeated with a newer lock.
   * Throws InvalidRequest, or ConflictingRequests when the evaluation gives one name two meanings.
   */
  packages(request: EnvironmentRequest): readonly LockedPackage[];
  /** Requests without an answer, by environment name. */
  readonly missing: ReadonlyMap<string, MissingEnvironment>;
  /** Every request so far, by environment name. */
  readonly requested: ReadonlyMap<string, EnvironmentRequest>;
}

/** A fresh view of a lock for one evaluation. */
export function viewLock(lock: Lock): LockView {
  const missing = new Map<string, MissingEnvironment>();
  const requested = new Map<string, EnvironmentRequest>();
  return {
    missing,
    requested,
    packages(request) {
      const normal = normalizeRequest(request);
      const earlier = requested.get(normal.name);
      if (earlier !== undefined && !sameRequest(earlier, normal)) {
        throw new ConflictingRequests({ environment: normal.name, first: earlier, second: normal });
      }
      requested.set(normal.name, normal);
      const locked = lock.environments.get(normal.name);
      if (locked !== undefined && sameRequest(locked.request, normal)) return packagesOf(lock, locked);
      missing.set(normal.name, {
        request: normal,
        reason: locked === undefined ? "not locked yet" : "its request changed",
      });
      return [];
    },
  };
}

function packagesOf(lock: Lock, environment: LockedEnvironment): readonly LockedPackage[] {
  return environment.packages.flatMap((path) => {
    const found = lock.packages.get(path);
    // Both the reader and `withEnvironments` see to it that every path has an entry.
    return found === undefined ? [] : [found];
  });
}

const environmentName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const componentName = /^[a-z][a-z0-9-]*$/;
const excludedName = /^[a-z0-9][a-z0-9+.-]*[a-z0-9+](?::(?<architecture>[a-z0-9]+))?$/;
/** A trailing `-` would make apt remove the package; anything outside this becomes a pattern or an option. */
const packageArgument =
  /^[a-z0-9][a-z0-9+.-]*[a-z0-9+](?::(?<architecture>[a-z0-9]+))?(?:=[0-9][A-Za-z0-9.+:~-]*|\/[a-z][a-z0-9-]*)?$/;

/**
 * The canonical form of a request: lists sorted by code unit without repetitions (the order of the
 * architectures has a meaning and stays), empty options left out. Throws InvalidRequest.
 */
export function normalizeRequest(request: EnvironmentRequest): EnvironmentRequest {
  const refuse = (why: string): never => {
    throw new InvalidRequest({ environment: request.name, why });
  };
  if (!environmentName.test(request.name)) refuse("its name may only contain letters, digits, '-', '_' and '.'");
  const architectures = [...new Set(request.architectures)];
  const checkArchitecture = (argument: string, groups: Readonly<Record<string, string>> | undefined): void => {
    const architecture = groups?.["architecture"];
    if (architecture === undefined || architectures.some((known) => known === architecture)) return;
    refuse(`'${argument}' is of an architecture that the request does not list (${architectures.join(", ")})`);
  };
  if (architectures.length === 0) refuse("it names no architecture");
  if (request.components.length === 0) refuse("it names no component of the archive (usually 'main')");
  for (const name of request.components) {
    if (!componentName.test(name)) refuse(`'${name}' is not a component of a Debian archive`);
  }
  if (request.packages.length === 0 && request.essential !== true) refuse("it names no package");
  for (const argument of request.packages) {
    const match = packageArgument.exec(argument);
    if (match === null)
      refuse(`'${argument}' is not a package in apt's syntax (name, name:arch, name=version, name/suite)`);
    else checkArchitecture(argument, match.groups);
  }
  const excluded = sortedSet(request.excluded ?? []);
  for (const name of excluded) {
    const match = excludedName.exec(name);
    if (match === null) refuse(`'${name}' in 'excluded' is not a package (name, name:arch)`);
    else checkArchitecture(name, match.groups);
    if (request.packages.some((argument) => isSamePackage(argument, name, architectures))) {
      refuse(`'${name}' is both asked for and excluded`);
    }
  }
  const pockets = sortedSet(request.pockets ?? []);
  return {
    name: request.name,
    suite: request.suite,
    components: sortedSet(request.components),
    architectures,
    packages: sortedSet(request.packages),
    ...(excluded.length === 0 ? {} : { excluded }),
    ...(request.essential === true ? { essential: true } : {}),
    ...(pockets.length === 0 ? {} : { pockets }),
  };
}

/** Whether what is asked for falls under what is excluded; a name alone means any architecture there, the native one here. */
function isSamePackage(argument: string, excluded: string, architectures: readonly Architecture[]): boolean {
  const [name, architecture = architectures[0]] = argument.replace(/[=/].*/, "").split(":");
  return excluded === name || excluded === `${name}:${architecture}`;
}

/** Whether two normalised requests ask for the same. */
export function sameRequest(left: EnvironmentRequest, right: EnvironmentRequest): boolean {
  return requestKey(left) === requestKey(right);
}

function requestKey(request: EnvironmentRequest): string {
  return JSON.stringify([
    request.name,
    request.suite,
    request.components,
    request.architectures,
    request.packages,
    request.excluded ?? [],
    request.essential ?? false,
    request.pockets ?? [],
  ]);
}

/** A lock in which the given environments have new answers. Packages that nothing needs any more are dropped. */
export function withEnvironments(
  lock: Lock,
  resolved: Iterable<readonly [request: EnvironmentRequest, packages: readonly LockedPackage[]]>,
): Lock {
  const environments = new Map(lock.environments);
  const known = new Map(lock.packages);
  for (const [request, packages] of resolved) {
    for (const pinned of packages) known.set(pinned.path, pinned);
    environments.set(request.name, {
      request: normalizeRequest(request),
      packages: sortedSet(packages.map((pinned) => pinned.path)),
    });
  }
  return prune(environments, known);
}

/** A lock that keeps only the named environments. */
export function retainEnvironments(lock: Lock, names: ReadonlySet<string>): Lock {
  return prune(new Map([...lock.environments].filter(([name]) => names.has(name))), lock.packages);
}

function prune(environments: ReadonlyMap<string, LockedEnvironment>, known: ReadonlyMap<string, LockedPackage>): Lock {
  const packages = new Map<string, LockedPackage>();
  for (const environment of environments.values()) {
    for (const path of environment.packages) {
      const pinned = known.get(path);
      if (pinned !== undefined) packages.set(path, pinned);
    }
  }
  return { environments, packages };
}

/** Sorted by code unit (the default sort order of JavaScript), without repetitions. */
function sortedSet<T extends string>(values: Iterable<T>): readonly T[] {
  return [...new Set(values)].sort();
}
