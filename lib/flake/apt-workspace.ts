import * as Effect from "effect/Effect";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MirrorList } from "#lib/fetchers/mirrors.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { run } from "#lib/platform/processes.ts";
import { networkEnvironment, readHostApt, type HostApt } from "./apt-host.ts";
import { AptDirectoryUnusable, AptUnusable } from "./errors.ts";
import type { Architecture, Pocket } from "./lock.ts";

/** The part of the archive's index that a run of apt sees. */
export interface AptIndex {
  readonly suite: string;
  readonly pockets?: readonly Pocket[];
  readonly components: readonly string[];
  /** The first is the native one. */
  readonly architectures: readonly Architecture[];
}

/** A private world for apt in a temporary directory: nothing of the host's package state is read or written. */
export interface AptWorkspace {
  readonly directory: string;
  readonly host: HostApt;
  /** The archive's public keys: a directory of `*.asc` files. */
  readonly keyring: string;
  readonly environment: NodeJS.ProcessEnv;
}

const writing = <A>(directory: string, write: () => Promise<A>): Effect.Effect<A, AptDirectoryUnusable> =>
  Effect.tryPromise({ try: write, catch: (cause) => new AptDirectoryUnusable({ directory, cause }) });

/** Makes the workspace; the scope's end removes it. */
export const makeAptWorkspace = Effect.fnUntraced(function* (keyring: string, environment: NodeJS.ProcessEnv) {
  const { promises } = yield* FileSystem;
  const directory = yield* Effect.acquireRelease(
    writing(tmpdir(), () => promises.mkdtemp(join(tmpdir(), "helios-apt-"))),
    (path) => Effect.promise(() => promises.rm(path, { recursive: true, force: true })),
  );
  yield* writing(directory, async () => {
    for (const name of ["lists/partial", "archives/partial", "cache", "views"]) {
      await promises.mkdir(join(directory, name), { recursive: true });
    }
  });
  const host = yield* readHostApt(environment);
  return { directory, host, keyring, environment } satisfies AptWorkspace;
});

/** Names an index; equal names mean equal indexes. */
export function indexName(index: AptIndex): string {
  const sorted = (values: readonly string[]): string => [...values].sort().join("+");
  return [index.suite, sorted(index.pockets ?? []), sorted(index.components), index.architectures.join("+")].join("_");
}

/** Writes an index's `sources.list`, with the first mirror of each archive. */
export const writeAptIndex = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  index: AptIndex,
  mirrors: MirrorList,
) {
  const { promises } = yield* FileSystem;
  yield* writing(workspace.directory, () =>
    promises.writeFile(sourceList(workspace, index), sourceLines(index, mirrors)),
  );
});

/**
 * Writes a configuration in which `status` (dpkg's status file) counts as installed, and returns its path.
 * The index's `sources.list` is left as it is: touching it would make apt parse the whole index again.
 */
export const writeAptView = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  index: AptIndex,
  name: string,
  status: string,
) {
  const { promises } = yield* FileSystem;
  const base = join(workspace.directory, "views", name);
  yield* writing(workspace.directory, async () => {
    await promises.writeFile(`${base}.status`, status);
    await promises.writeFile(`${base}.conf`, configuration(workspace, index, base));
  });
  return `${base}.conf`;
});

function sourceList(workspace: AptWorkspace, index: AptIndex): string {
  return join(workspace.directory, "views", `${indexName(index)}.list`);
}

/** One line per pocket, with the first mirror of its archive. */
function sourceLines(index: AptIndex, mirrors: MirrorList): string {
  const options = `[arch=${index.architectures.join(",")}]`;
  const line = (mirror: string | undefined, suite: string): string =>
    mirror === undefined ? "" : `deb ${options} ${mirror} ${suite} ${index.components.join(" ")}\n`;
  return (
    line(mirrors.archives[0], index.suite) +
    (index.pockets?.includes("backports") === true ? line(mirrors.archives[0], `${index.suite}-backports`) : "") +
    (index.pockets?.includes("security") === true ? line(mirrors.security[0], `${index.suite}-security`) : "")
  );
}

function configuration(workspace: AptWorkspace, index: AptIndex, base: string): string {
  const { directory } = workspace;
  const settings: readonly (readonly [key: string, value: string])[] = [
    ["Dir", directory],
    // Without these two the host's apt.conf.d is read after this file.
    ["Dir::Etc::Parts", "/dev/null"],
    ["Dir::Etc::Main", "/dev/null"],
    ["Dir::Etc::SourceList", sourceList(workspace, index)],
    ["Dir::Etc::SourceParts", "/dev/null"],
    ["Dir::Etc::Preferences", "/dev/null"],
    ["Dir::Etc::PreferencesParts", "/dev/null"],
    ["Dir::Etc::TrustedParts", workspace.keyring],
    ["Dir::State", directory],
    ["Dir::State::Lists", join(directory, "lists")],
    ["Dir::State::Status", `${base}.status`],
    ["Dir::State::extended_states", `${base}.extended`],
    ["Dir::Cache", join(directory, "cache")],
    // Packages that lie in the archives directory would be missing from what apt prints.
    ["Dir::Cache::Archives", join(directory, "archives")],
    // The parsed index is shared by all views of it; what depends on the status file is not kept.
    ["Dir::Cache::srcpkgcache", join(directory, "cache", `${indexName(index)}.bin`)],
    ["Dir::Cache::pkgcache", ""],
    ["Dir::Log", directory],
    ["Debug::NoLocking", "true"],
    ["APT::Architecture", index.architectures[0] ?? "amd64"],
    ...index.architectures.map((architecture) => ["APT::Architectures::", architecture] as const),
    // As root, apt would become the user _apt, who cannot enter the temporary directory.
    ["APT::Sandbox::User", "root"],
    ["APT::Install-Recommends", "false"],
    ["APT::Install-Suggests", "false"],
    ["APT::Update::Error-Mode", "any"],
    // apt counts itself as essential; no environment needs it.
    ["pkgCacheGen::ForceEssential", ","],
    ["Acquire::Languages", "none"],
    // Otherwise an archive that offers stronger hashes besides would leave out this one.
    ["Acquire::ForceHash", "SHA256"],
    ["Acquire::Retries", "1"],
    ["Acquire::http::Timeout", "20"],
    ["Acquire::https::Timeout", "20"],
    ...workspace.host.network,
  ];
  return settings.map(([key, value]) => `${key} "${value}";\n`).join("");
}

/** Runs an apt program with the configuration of `writeAptView`. A program that does not exist is AptUnusable. */
export const runApt = Effect.fnUntraced(function* (
  workspace: AptWorkspace,
  configurationFile: string,
  program: "apt-get" | "apt-cache",
  args: readonly string[],
) {
  return yield* run({
    command: program,
    args,
    cwd: workspace.directory,
    env: { ...networkEnvironment(workspace.environment), APT_CONFIG: configurationFile, TMPDIR: workspace.directory },
  }).pipe(Effect.catchTag("SpawnError", (cause) => Effect.fail(new AptUnusable({ program, cause }))));
});
