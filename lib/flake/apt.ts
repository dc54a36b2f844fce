import * as Effect from "effect/Effect";
import { fileURLToPath } from "node:url";
import type { MirrorList } from "#lib/fetchers/mirrors.ts";
import { emit } from "#lib/platform/events.ts";
import { suggest } from "./similar-names.ts";
import {
  complaints,
  explainConflict,
  isUntrusted,
  missingVerifier,
  parsePrintedUris,
  parseStanzas,
  UnreadableAnswer,
  withoutPassword,
} from "./apt-output.ts";
import { standIns } from "./apt-stand-ins.ts";
import {
  indexName,
  makeAptWorkspace,
  runApt,
  writeAptIndex,
  writeAptView,
  type AptIndex,
  type AptWorkspace,
} from "./apt-workspace.ts";
import {
  AptFailed,
  AptUnusable,
  ArchiveUnreachable,
  DependencyConflict,
  InvalidRequest,
  NoMirrors,
  PackageNotFound,
  PackageNotInstallable,
} from "./errors.ts";
import { normalizeRequest, type EnvironmentRequest, type LockedPackage } from "./lock.ts";

/** Where the index comes from and whose signatures on it count. */
export interface ResolveOptions {
  readonly mirrors: MirrorList;
  /** A directory of `*.asc` files with public keys; the default is Debian trixie's. */
  readonly keyring?: string;
  /** The default is this process's own. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** The public keys of Debian trixie's archive, which lie in this repository. */
export const debianKeyring = fileURLToPath(new URL("../../pkgs/debian/archive-keyring", import.meta.url));

/** An index and the one list of mirrors that answered for it. */
interface Prepared {
  readonly index: AptIndex;
  readonly mirrors: MirrorList;
  /** Configuration in which nothing counts as installed. */
  readonly empty: string;
  /** The names of all real packages. */
  readonly names: ReadonlySet<string>;
}

/**
 * Resolves requests to closures with the host's real apt and a private configuration, by environment name.
 * The index is fetched once for all requests of a suite. Each closure is sorted by pool path.
 */
export const resolve = Effect.fnUntraced(function* (requests: readonly EnvironmentRequest[], options: ResolveOptions) {
  const normal = yield* normalizeAll(requests);
  const resolved = new Map<string, readonly LockedPackage[]>();
  if (normal.length === 0) return resolved as ReadonlyMap<string, readonly LockedPackage[]>;
  const environment = options.environment ?? process.env;
  const workspace = yield* makeAptWorkspace(options.keyring ?? debianKeyring, environment);
  const mirrors = yield* updateIndexes(workspace, normal, options.mirrors);
  const prepared = new Map<string, Prepared>();
  for (const request of normal) {
    const key = indexName(request);
    if (!prepared.has(key)) prepared.set(key, yield* prepare(workspace, request, mirrors));
  }
  const closures = yield* Effect.forEach(
    normal,
    (request) => {
      const ready = prepared.get(indexName(request));
      return ready === undefined ? Effect.succeed([]) : closure(workspace, ready, request);
    },
    { concurrency: 2 },
  );
  normal.forEach((request, at) => resolved.set(request.name, closures[at] ?? []));
  return resolved as ReadonlyMap<string, readonly LockedPackage[]>;
}, Effect.scoped);

const normalizeAll = (requests: readonly EnvironmentRequest[]) =>
  Effect.try({
    try: () => requests.map(normalizeRequest),
    catch: (cause) => {
      if (cause instanceof InvalidRequest) return cause;
      throw cause;
    },
  });

/** Fetches the union of what the requests of each suite need, and returns the mirrors that gave it. */
const updateIndexes = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  requests: readonly EnvironmentRequest[],
  mirrors: MirrorList,
) {
  const union = {
    // One suite is all that a request can name so far.
    suite: requests[0]?.suite ?? "trixie",
    pockets: [...new Set(requests.flatMap((request) => request.pockets ?? []))].sort(),
    components: [...new Set(requests.flatMap((request) => request.components))].sort(),
    architectures: [...new Set(requests.flatMap((request) => request.architectures))].sort(),
  } satisfies AptIndex;
  // The main archive first and alone, so that a mirror of it is found whatever happens to the security archive.
  const pockets = union.pockets.filter((pocket) => pocket !== "security");
  const archive = yield* firstThatUpdates(
    workspace,
    { ...union, pockets },
    union.suite,
    mirrors.archives,
    (mirror) => ({
      archives: [mirror],
      security: [],
    }),
  );
  if (pockets.length === union.pockets.length) return { archives: [archive], security: [] };
  const name = `${union.suite}-security`;
  const security = yield* firstThatUpdates(workspace, union, name, mirrors.security, (mirror) => ({
    archives: [archive],
    security: [mirror],
  }));
  return { archives: [archive], security: [security] };
});

const firstThatUpdates = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  index: AptIndex,
  archive: string,
  candidates: readonly string[],
  using: (mirror: string) => MirrorList,
) {
  if (candidates.length === 0) return yield* new NoMirrors({ archive });
  const attempts: { mirror: string; reason: string; untrusted: boolean }[] = [];
  for (const candidate of candidates) {
    yield* writeAptIndex(workspace, index, using(candidate));
    const view = yield* writeAptView(workspace, index, "update", "");
    const finished = yield* runApt(workspace, view, "apt-get", ["update", "-q"]);
    const said = complaints(finished.stderr);
    // Older versions of apt end with 0 although an index is missing; every version says so.
    if (finished.code === 0 && !said.some((line) => /^Failed to fetch|^Some index files failed/.test(line)))
      return candidate;
    const verifier = missingVerifier(finished.stderr);
    if (verifier !== undefined)
      return yield* new AptUnusable({ program: verifier, cause: "apt checks signatures with it" });
    const mirror = withoutPassword(candidate);
    // "Failed to fetch <URL>  <reason>"
    const reason = said[0]?.replace(/^Failed to fetch \S+\s+/, "") ?? `apt-get ended with ${finished.code}`;
    attempts.push({ mirror, reason, untrusted: isUntrusted(finished.stderr) });
    yield* emit({ type: "fetch-retry", name: `index of ${archive}`, url: mirror, reason });
  }
  return yield* new ArchiveUnreachable({ archive, attempts });
});

/** Makes apt parse an index once, so that later runs find it parsed, and lists the packages in it. */
const prepare = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  request: EnvironmentRequest,
  mirrors: MirrorList,
) {
  const index: AptIndex = request;
  yield* writeAptIndex(workspace, index, mirrors);
  const empty = yield* writeAptView(workspace, index, `${indexName(index)}.empty`, "");
  const finished = yield* runApt(workspace, empty, "apt-cache", ["pkgnames"]);
  if (finished.code !== 0)
    return yield* new AptFailed({ command: "apt-cache pkgnames", code: finished.code, output: finished.stderr });
  return { index, mirrors, empty, names: new Set(finished.stdout.split("\n")) } satisfies Prepared;
});

/** Resolves one request. */
const closure = Effect.fnUntraced(function* (workspace: AptWorkspace, ready: Prepared, request: EnvironmentRequest) {
  const environment = request.name;
  const excluded = new Set(request.excluded);
  yield* checkNames(workspace, ready, request);
  const essential = request.essential === true ? yield* essentialPackages(workspace, ready) : [];
  const roots = [...new Set([...request.packages, ...essential.filter((name) => !excluded.has(name))])].sort();
  const status = yield* standIns(workspace, ready.empty, request);
  const view =
    status === "" ? ready.empty : yield* writeAptView(workspace, ready.index, `request-${environment}`, status);
  const command = ["install", "--no-remove", "-qq", "--print-uris", "--", ...roots];
  const finished = yield* runApt(workspace, view, "apt-get", command);
  if (finished.code !== 0) return yield* explain(workspace, view, request, roots, finished.stderr);
  const packages = yield* Effect.try({
    try: () => parsePrintedUris(finished.stdout, [...ready.mirrors.archives, ...ready.mirrors.security]),
    catch: (cause) => {
      if (!(cause instanceof UnreadableAnswer)) throw cause;
      return new AptFailed({ command: "apt-get install --print-uris", code: finished.code, output: cause.message });
    },
  });
  const intruder = packages.find(
    ({ name, architecture }) => excluded.has(name) || excluded.has(`${name}:${architecture}`),
  );
  if (intruder !== undefined) {
    const explanation = [`${intruder.name}:${intruder.architecture} is excluded, but needed all the same`];
    return yield* new DependencyConflict({ environment, explanation, excluded: [...excluded] });
  }
  return packages.toSorted((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
});

/** apt takes a name that it does not know for a pattern; so names are checked first. */
const checkNames = Effect.fnUntraced(function* (workspace: AptWorkspace, ready: Prepared, request: EnvironmentRequest) {
  for (const argument of request.packages) {
    const name = argument.replace(/[:=/].*/, "");
    if (ready.names.has(name)) continue;
    const about = { environment: request.name, package: name };
    const providers = yield* providersOf(workspace, ready, name);
    if (providers.length > 0) return yield* new PackageNotInstallable({ ...about, providers });
    return yield* new PackageNotFound({ ...about, suite: request.suite, suggestions: suggest(name, ready.names) });
  }
  return undefined;
});

const providersOf = Effect.fnUntraced(function* (workspace: AptWorkspace, ready: Prepared, name: string) {
  const finished = yield* runApt(workspace, ready.empty, "apt-cache", ["showpkg", name]);
  const list = finished.stdout.split("Reverse Provides:")[1] ?? "";
  return [
    ...new Set(
      list.split("\n").flatMap((line) =>
        line
          .trim()
          .split(/[ :]/, 1)
          .filter((word) => word !== ""),
      ),
    ),
  ].sort();
});

const essentialPackages = Effect.fnUntraced(function* (workspace: AptWorkspace, ready: Prepared) {
  const pattern = `?and(?essential,?architecture(${ready.index.architectures[0]}))`;
  const finished = yield* runApt(workspace, ready.empty, "apt-cache", ["show", "--no-all-versions", pattern]);
  const stanzas = parseStanzas(finished.stdout).filter((stanza) => stanza.get("Essential") === "yes");
  if (finished.code !== 0 || stanzas.length === 0) {
    return yield* new AptFailed({
      command: `apt-cache show '${pattern}'`,
      code: finished.code,
      output: finished.stderr,
    });
  }
  return stanzas.flatMap((stanza) => stanza.get("Package") ?? []);
});

/** Turns a refusal of apt's into the error that says what to do. */
const explain = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  view: string,
  request: EnvironmentRequest,
  roots: readonly string[],
  stderr: string,
) {
  const environment = request.name;
  const missing =
    /Unable to locate package (\S+)/.exec(stderr) ??
    /Package '([^']+)' has no installation candidate/.exec(stderr) ??
    /(?:Version|Release) '[^']+' for '([^']+)' was not found/.exec(stderr);
  if (missing?.[1] !== undefined)
    return yield* new PackageNotInstallable({ environment, package: missing[1], providers: [] });
  const simulated = yield* runApt(workspace, view, "apt-get", ["install", "--no-remove", "-s", "--", ...roots]);
  if (simulated.code === 0)
    return yield* new AptFailed({ command: "apt-get install --print-uris", code: 100, output: stderr });
  const explanation = explainConflict(simulated.stdout, simulated.stderr);
  return yield* new DependencyConflict({ environment, explanation, excluded: request.excluded ?? [] });
});
