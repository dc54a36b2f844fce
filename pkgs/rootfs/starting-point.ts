import type { Derivation } from "#lib/derivations/derivation.ts";
import type { LockedPackage, Pocket } from "#lib/flake/lock.ts";
import { mergeArchives } from "../builtin-builders.ts";
import { debianPackage } from "../debian/package-file.ts";
import type { PackageLock } from "../environments.ts";
import { mkDerivation } from "../mk-derivation.ts";
import { type Entry, symlink } from "./entry.ts";

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
  /** What is made from the packages' own files. */
  readonly entries: readonly Entry[];
  /** Whether a package of that name is in it. */
  readonly has: (packageName: string) => boolean;
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
  const packages = lock.packages({
    name: environment,
    suite: "trixie",
    components: ["main"],
    architectures: ["arm64"],
    packages: options.packages,
    excluded: [...withoutUse, ...excluded],
    ...(pockets === undefined ? {} : { pockets }),
  });
  const archive = mergeArchives(
    name,
    packages.map((pinned) => ({ name: pinned.name, kind: "deb", path: `${debianPackage(pinned)}`, exclude: leaveOut })),
  );
  const names = new Set(packages.map((pinned) => pinned.name));
  const has = (packageName: string) => names.has(packageName);
  return {
    name,
    archive,
    packages,
    sysusers: sysusersFiles(tools, name, archive),
    entries: has("ca-certificates") ? certificateEntries(certificateBundle(tools, name, archive)) : [],
    has,
  };
}

/** A step of its own: most changes of packages leave these files alone, and then what follows is not built again. */
function sysusersFiles(tools: Derivation, name: string, archive: Derivation): Derivation {
  return mkDerivation({
    name: `${name}-sysusers`,
    environment: tools,
    env: { archive },
    script: `mkdir "$out"
tar -x --no-same-owner -C "$out" --wildcards --transform='s,.*/,,' -f "$archive" './usr/lib/sysusers.d/*.conf'`,
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
