import type { Derivation } from "#lib/derivations/derivation.ts";
import type { EnvironmentRequest, LockedPackage } from "#lib/flake/lock.ts";
import { unpackDebian } from "./builtin-builders.ts";
import { debianPackage } from "./debian/package-file.ts";

/** The part of the lock that package recipes need. */
export interface PackageLock {
  packages(request: EnvironmentRequest): readonly LockedPackage[];
}

/** What every environment needs so that ordinary scripts run in it. */
const base = [
  "bash",
  "coreutils",
  "dash",
  "diffutils",
  "findutils",
  "gawk",
  "grep",
  "gzip",
  "libc-bin",
  "sed",
  "tar",
  "xz-utils",
];

/**
 * Links that maintainer scripts (mostly update-alternatives) would have made,
 * by the package that must be there: link path → target.
 */
const alternatives: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gawk: { "usr/bin/awk": "gawk" },
  gcc: { "usr/bin/cc": "gcc" },
  "g++": { "usr/bin/c++": "g++" },
  "openjdk-21-jdk-headless": Object.fromEntries(
    ["jar", "javac", "javadoc"].map((name) => [`usr/bin/${name}`, `../lib/jvm/java-21-openjdk-amd64/bin/${name}`]),
  ),
  "openjdk-21-jre-headless": { "usr/bin/java": "../lib/jvm/java-21-openjdk-amd64/bin/java" },
};

/** Only for maintainer scripts, which never run here. */
const maintainerScriptsOnly = ["debconf", "debianutils", "perl-base"];

function toolRequest(name: string, packages: readonly string[]): EnvironmentRequest {
  return {
    name,
    suite: "trixie",
    components: ["main"],
    architectures: ["amd64"],
    packages: [...base, ...packages],
    excluded: maintainerScriptsOnly,
  };
}

/** Makes root file systems, initial RAM disks and SD images. */
export const imageToolsRequest = toolRequest("image-tools", [
  "binutils-aarch64-linux-gnu",
  "cpio",
  "device-tree-compiler",
  "dosfstools",
  "dpkg",
  "e2fsprogs",
  "fdisk",
  "genimage",
  "jq",
  "kmod",
  // mke2fs loads it to read its tree from a tar file; nothing depends on it.
  "libarchive13t64",
  "mtools",
  "squashfs-tools",
  "systemd",
  // udevadm, which checks rules.
  "udev",
]);

/** Builds C programs for the target, and for the build machine what they need meanwhile. */
export const crossCRequest = toolRequest("cross-c", ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "make"]);

/**
 * Builds Rust programs for the target. Without what only programs for the
 * build machine would need (its linker, C compiler and standard library): that
 * halves the download. Build scripts and procedural macros are such programs.
 */
const crossRustRequest: EnvironmentRequest = {
  ...toolRequest("cross-rust", [
    "cargo",
    "gcc-aarch64-linux-gnu",
    // Reads what `cargo metadata` says.
    "jq",
    "libc6-dev-arm64-cross",
    // The compiler itself is in this library.
    "libstd-rust-1.85",
    "rustc",
  ]),
  excluded: [...maintainerScriptsOnly, "gcc", "libc6-dev", "libstd-rust-dev"],
};

/** Rust's standard library for the target. Its dynamic form, which no program here uses, is left out. */
const rustTargetRequest: EnvironmentRequest = {
  name: "rust-target",
  suite: "trixie",
  components: ["main"],
  architectures: ["arm64"],
  packages: ["libstd-rust-dev"],
  excluded: ["libstd-rust-1.85"],
};

/** Builds and runs Rust programs on the build machine: their tests. */
export const nativeRustRequest = toolRequest("native-rust", ["cargo", "gcc", "libc6-dev", "rustc"]);

/** Compiles Java programs, which run on every machine. */
export const javaRequest: EnvironmentRequest = {
  ...toolRequest("java", ["openjdk-21-jdk-headless"]),
  // Certificates only matter to programs that connect to somebody.
  excluded: [...maintainerScriptsOnly, "ca-certificates-java", "java-common"],
};

/** Runs Node: bundlers and the like, whose packages come from the npm registry. */
export const nodeRequest = toolRequest("node", ["nodejs"]);

/** Runs virtual machines, and makes disks for them. Sound, smart cards and remote displays are only loaded when a machine has them. */
export const qemuRequest: EnvironmentRequest = {
  name: "qemu",
  suite: "trixie",
  components: ["main"],
  architectures: ["amd64"],
  packages: ["bash", "coreutils", "dash", "qemu-system-arm", "qemu-utils"],
  excluded: [
    ...maintainerScriptsOnly,
    "adduser",
    "libasound2t64",
    "libbrlapi0.8",
    "libcacard0",
    "libusb-1.0-0",
    "libusbredirparser1t64",
    "passwd",
  ],
};

/** Changes of an environment beyond its packages. */
export interface EnvironmentOptions {
  /** Links to add: path below the root → target. */
  readonly links?: Readonly<Record<string, string>>;
  /** Locked packages of other requests to unpack as well. */
  readonly extra?: readonly LockedPackage[];
}

/** A tool root: the request's locked packages, unpacked without their maintainer scripts. */
export function environment(
  request: EnvironmentRequest,
  lock: PackageLock,
  { links = {}, extra = [] }: EnvironmentOptions = {},
): Derivation {
  const packages = [...lock.packages(request), ...extra];
  const names = new Set(packages.map((pinned) => pinned.name));
  const needed = Object.entries(alternatives).flatMap(([name, made]) => (names.has(name) ? Object.entries(made) : []));
  return unpackDebian(request.name, packages.map(debianPackage), sortedRecord([...needed, ...Object.entries(links)]));
}

/** Cargo and rustc with the standard libraries of both machines. */
export function crossRustEnvironment(lock: PackageLock): Derivation {
  const target = lock.packages(rustTargetRequest).filter((pinned) => pinned.name === "libstd-rust-dev");
  return environment(crossRustRequest, lock, { extra: target });
}

function sortedRecord(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries([...entries].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)));
}
