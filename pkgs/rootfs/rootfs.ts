import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { LockedPackage } from "#lib/flake/lock.ts";
import { mergeArchives } from "../builtin-builders.ts";
import type { Linux } from "../linux/linux.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { type Accounts, accountEntries, accountFiles } from "./accounts.ts";
import { type Identity, identityEntries } from "./defaults.ts";
import type { Entry, EntryLayer } from "./entry.ts";
import { maintainerScriptAccounts } from "./maintainer-scripts.ts";
import type { StartingPoint } from "./starting-point.ts";
import type { StagedLayer } from "./staged-layer.ts";
import { unitCheck } from "./unit-check.ts";

/** What a root file system is put together from. */
export interface RootFileSystemOptions extends Accounts {
  readonly name: string;
  readonly base: StartingPoint;
  /** Its modules are installed. */
  readonly linux?: Linux;
  readonly identity: Identity;
  /** Names of systemd units that are to be checked: those that the configuration declares. */
  readonly units?: readonly string[];
  /** Programs, files, units …; two layers that write one path are an error unless the entry or the layer is forced. */
  readonly layers: readonly (EntryLayer | StagedLayer)[];
}

/** A complete root file system. */
export interface RootFileSystem {
  readonly name: string;
  /** The tar, with owners, modes and times; its output `manifest` says what is in it, path by path. */
  readonly archive: Derivation;
  /** Fails when a program in it would not find its libraries. Whatever uses the archive should need this too. */
  readonly sharedLibraryCheck: Derivation;
  /** Fails when systemd does not accept one of the declared units. */
  readonly unitCheck: Derivation;
  /** Of the starting point and the kernel. */
  readonly packages: readonly LockedPackage[];
}

const checkScript = source({ path: join(import.meta.dirname, "library-check.sh") });

/** Base, kernel modules, accounts, defaults and the layers of the configuration, as one deterministic archive. */
export function rootfs(tools: Derivation, options: RootFileSystemOptions): RootFileSystem {
  const { name, base, linux, identity, layers } = options;
  const accounts = accountFiles(tools, {
    name,
    users: options.users,
    groups: options.groups,
    sysusers: base.sysusers,
    further: maintainerScriptAccounts(base.has),
    ...(base.accounts === undefined ? {} : { existing: base.accounts }),
  });
  const written = new Set(layers.flatMap((layer) => layer.entries.map((entry) => entry.path)));
  const free = (entries: readonly Entry[]) => entries.filter((entry) => !written.has(entry.path));
  // A tree from elsewhere has accounts, a name and perhaps a kernel of its own, and may be an earlier state of this system.
  const over = base.accounts === undefined ? {} : { force: true };
  const own: readonly EntryLayer[] = [
    { name: "accounts", entries: free(accountEntries(accounts, options)) },
    {
      name: "defaults",
      entries: free([...identityEntries(identity), ...base.entries]),
    },
  ];
  const archive = mergeArchives(name, [
    { name: base.name, kind: "tar", path: `${base.archive}`, manifest: `${base.archive.output("manifest")}` },
    ...(linux === undefined
      ? []
      : [{ name: "linux-modules", kind: "tar", path: `${linux.modules}`, ...over } as const]),
    ...[...own, ...layers].map((layer) =>
      "file" in layer
        ? ({ name: layer.name, kind: "entries", path: `${layer.file}`, ...over } as const)
        : ({ name: layer.name, kind: "entries", entries: layer.entries, ...over } as const),
    ),
  ]);
  const sharedLibraryCheck = mkDerivation({
    name: `${name}-library-check`,
    environment: tools,
    script: checkScript,
    env: {
      archives: base.archive,
      programs: programLines(layers),
      links: linkLines([...own, ...layers]),
      passAsFile: ["programs", "links"],
    },
  });
  const checked = unitCheck(tools, { name, archive, units: options.units ?? [] });
  return {
    name,
    archive,
    sharedLibraryCheck,
    unitCheck: checked,
    packages: [...base.packages, ...(linux?.packages ?? [])],
  };
}

/** Links to libraries, which programs need as they need the libraries. */
function linkLines(layers: readonly EntryLayer[]): string {
  return layers
    .flatMap(({ entries }) => entries)
    .flatMap(({ path, target }) => (target === undefined || !/\.so(\.|$)/.test(path) ? [] : [[path, target] as const]))
    .map(([path, target]) => `${path.replace(/^\/+/, "")}\t${target}\n`)
    .join("");
}

/** Only what comes from files can be a program: a changed text does not repeat the check. */
function programLines(layers: readonly EntryLayer[]): string {
  return layers
    .flatMap((layer) => layer.entries)
    .filter((entry): entry is Entry & { readonly source: string } => entry.source !== undefined)
    .map((entry) => `${entry.source}\t${entry.path.replace(/^\/+/, "")}\n`)
    .join("");
}
