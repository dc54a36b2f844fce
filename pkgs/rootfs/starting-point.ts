import type { Derivation } from "#lib/derivations/derivation.ts";
import type { LockedPackage, Pocket } from "#lib/flake/lock.ts";
import { mergeArchives } from "../builtin-builders.ts";
import { debianPackage } from "../debian/package-file.ts";
import type { PackageLock } from "../environments.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { defaultEntries } from "./defaults.ts";
import { type Entry, symlink } from "./entry.ts";
import { importedLayer, type ImportedTree } from "./imported-tree.ts";

/** What a root file system starts from. */
export interface StartingPointOptions {
  readonly name: string;
  /** How the lock calls the packages; the name by default. */
  readonly environment?: string;
  /** In apt's syntax, arm64. Their dependencies come along, recommendations do not. */
  readonly packages: readonly string[];
  /** Packages to leave out although others depend on them, besides those that only maintainer scripts use. */
  readonly excluded?: readonly string[];
  readonly pockets?: readonly Pocket[];
  /** Patterns of paths to leave out of every package. By default `notNeededToRun`. */
  readonly leaveOut?: readonly string[];
  /** Lies over the packages, of which there may then be none. */
  readonly tree?: ImportedTree;
}

/** Debian packages as a root file system, not yet completed. */
export interface StartingPoint {
  readonly name: string;
  /** The tar, and as the output `manifest` what is in it: JSON lines with the package of each path. */
  readonly archive: Derivation;
  /** What was merged, from the lock. */
  readonly packages: readonly LockedPackage[];
  /** The packages' sysusers.d files, a directory. */
  readonly sysusers: Derivation;
  /** What the packages lack to be a system that starts, and what is made from their files. */
  readonly entries: readonly Entry[];
  /** Whether a package of that name is in it. */
  readonly has: (packageName: string) => boolean;
  /** Of a tree from elsewhere: a directory with its own account files. */
  readonly accounts?: Derivation;
}

/**
 * Depended upon for maintainer scripts, or for a packaging system that the
 * target does not have.
 */
const withoutUse = [
  "adduser",
  "debconf",
  "init-system-helpers",
  "libtext-charwidth-perl",
  "libtext-wrapi18n-perl",
  "perl-base",
  "runit-helper",
  "sensible-utils",
  "sysvinit-utils",
  "ucf",
];

/** Not needed to run: documentation, translations, headers. Init scripts would be started a second time by systemd's generator. */
const notNeededToRun = [
  "usr/include",
  "usr/lib/aarch64-linux-gnu/*.a",
  "usr/share/bash-completion",
  "usr/share/bug",
  "usr/share/doc",
  "usr/share/doc-base",
  "usr/share/info",
  "usr/share/lintian",
  "usr/share/locale",
  "usr/share/man",
  "usr/share/zsh",
  "etc/init.d",
  "etc/rc?.d",
];

/** A root file system from locked Debian packages. Their maintainer scripts never run. */
export function startingPoint(tools: Derivation, lock: PackageLock, options: StartingPointOptions): StartingPoint {
  const { name, environment = name, excluded = [], pockets, leaveOut = notNeededToRun } = options;
  const packages =
    options.packages.length === 0
      ? []
      : lock.packages({
          name: environment,
          suite: "trixie",
          components: ["main"],
          architectures: ["arm64"],
          packages: options.packages,
          excluded: [...withoutUse, ...excluded],
          ...(pockets === undefined ? {} : { pockets }),
        });
  const debs = packages.map(
    (pinned) => ({ name: pinned.name, kind: "deb", path: `${debianPackage(pinned)}`, exclude: leaveOut }) as const,
  );
  const names = new Set(packages.map((pinned) => pinned.name));
  const has = (packageName: string) => names.has(packageName);
  const certificates = (archive: Derivation) =>
    has("ca-certificates") ? certificateEntries(certificateBundle(tools, name, archive)) : [];
  if (options.tree === undefined) {
    const archive = mergeArchives(name, debs);
    const sysusers = sysusersFiles(tools, name, archive);
    return { name, archive, packages, sysusers, entries: [...defaultEntries(has), ...certificates(archive)], has };
  }
  const below = mergeArchives(`${name}-packages`, debs);
  // What the tree has is as it wants it, so the defaults lie below.
  const archive = mergeArchives(name, [
    ...(options.packages.length === 0
      ? []
      : [{ name, kind: "tar", path: `${below}`, manifest: `${below.output("manifest")}` } as const]),
    { name: "defaults", kind: "entries", entries: [...defaultEntries(has), ...certificates(below)] },
    importedLayer(tools, name, options.tree),
  ]);
  return {
    name,
    archive,
    packages,
    sysusers: sysusersFiles(tools, name, archive, true),
    accounts: accountFilesOf(tools, name, archive),
    entries: [],
    has,
  };
}

/** A step of its own: most changes of packages leave these files alone, and then what follows is not built again. */
function sysusersFiles(tools: Derivation, name: string, archive: Derivation, mayHaveNone = false): Derivation {
  const extract = `tar -x --no-same-owner -C "$out" --wildcards --transform='s,.*/,,' -f "$archive" './usr/lib/sysusers.d/*.conf'`;
  return mkDerivation({
    name: `${name}-sysusers`,
    environment: tools,
    env: { archive },
    script: mayHaveNone
      ? `mkdir "$out"
tar -tf "$archive" > paths
if grep -q '^[.]/usr/lib/sysusers[.]d/.*[.]conf$' paths; then
  ${extract}
fi`
      : `mkdir "$out"
${extract}`,
  });
}

/** The account files that a tree brings. A tree without a program to start is none: it would fail only on the machine. */
function accountFilesOf(tools: Derivation, name: string, archive: Derivation): Derivation {
  return mkDerivation({
    name: `${name}-import-accounts`,
    environment: tools,
    env: { archive },
    script: `mkdir "$out"
tar -tf "$archive" > paths
if ! grep -qE '^[.]/usr/(s?bin/init|lib/systemd/systemd)$' paths; then
  echo "error: the root file system has no /sbin/init; at its top are: $(cut -d/ -f2 paths | sort -u | tr '\\n' ' ')" >&2
  exit 1
fi
grep -E '^[.]/etc/(passwd|group|shadow|gshadow)$' paths > files || true
# Without a name, tar would unpack everything.
if [ -s files ]; then
  tar -x --no-same-owner --no-same-permissions -C "$out" --transform='s,.*/,,' -f "$archive" -T files
  find "$out" -type f -exec chmod u+r {} +
fi`,
  });
}

/** All certificates of ca-certificates in one file, as update-ca-certificates would write it. */
function certificateBundle(tools: Derivation, name: string, archive: Derivation): Derivation {
  return mkDerivation({
    name: `${name}-ca-certificates.crt`,
    environment: tools,
    env: { archive },
    // The archive is sorted, so the bundle is too.
    script: `tar -xO --wildcards -f "$archive" './usr/share/ca-certificates/*.crt' > "$out"`,
  });
}

/** The bundle, and the name under which OpenSSL looks for it; the folder of hashed names is not made. */
function certificateEntries(bundle: Derivation): readonly Entry[] {
  const path = "/etc/ssl/certs/ca-certificates.crt";
  return [{ path, type: "file", mode: "0644", source: `${bundle}` }, symlink("/usr/lib/ssl/cert.pem", path)];
}
