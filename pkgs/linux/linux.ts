import { join } from "node:path";
import type { Derivation, DerivationOutput } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { LockedPackage, Pocket } from "#lib/flake/lock.ts";
import { debianPackage } from "../debian/package-file.ts";
import type { PackageLock } from "../environments.ts";
import { mkDerivation } from "../mk-derivation.ts";

/** Which kernel. */
export interface LinuxOptions {
  /** `linux` by default. */
  readonly name?: string;
  /** How the lock calls the packages; the name by default. */
  readonly environment?: string;
  /** In apt's syntax; by default the release's own `linux-image-arm64`. */
  readonly package?: string;
  /** Needed for a kernel from `backports` or `security`. */
  readonly pockets?: readonly Pocket[];
  /** Vendors (folders of the kernel's device trees) to keep; `broadcom` by default. */
  readonly deviceTrees?: readonly string[];
}

/** A kernel and its parts. */
export interface Linux {
  /** A directory: `Image`, `config`, `version`, `dtbs/<vendor>/…`. */
  readonly kernel: Derivation;
  /** A tar with `usr/lib/modules/<version>`, a layer of a root file system. */
  readonly modules: DerivationOutput;
  /** The locked packages that it was taken from. */
  readonly packages: readonly LockedPackage[];
}

/**
 * What kernel packages depend on for their maintainer scripts. The modules'
 * metadata is made here instead. `linux-base` has to stay in the closure, since
 * kernels of backports want a newer one than the release has; it is not used.
 */
const maintainerScriptsOnly = [
  "debconf",
  "dracut",
  "initramfs-tools",
  "kmod",
  "libtext-charwidth-perl",
  "perl",
  "perl-base",
];

const script = source({ path: join(import.meta.dirname, "kernel.sh") });

/** A Debian arm64 kernel, taken apart. Knows the package layouts of Linux 6 and 7. */
export function linux(tools: Derivation, lock: PackageLock, options: LinuxOptions = {}): Linux {
  const { name = "linux", package: root = "linux-image-arm64", pockets, deviceTrees = ["broadcom"] } = options;
  const packages = lock
    .packages({
      name: options.environment ?? name,
      suite: "trixie",
      components: ["main"],
      architectures: ["arm64"],
      packages: [root],
      excluded: maintainerScriptsOnly,
      ...(pockets === undefined ? {} : { pockets }),
    })
    .filter((pinned) => /^linux-(?:image|binary|modules|base)-/.test(pinned.name));
  const kernel = mkDerivation({
    name,
    environment: tools,
    script,
    outputs: ["out", "modules"],
    env: { packages: packages.map(debianPackage), deviceTrees },
  });
  return { kernel, modules: kernel.output("modules"), packages };
}
