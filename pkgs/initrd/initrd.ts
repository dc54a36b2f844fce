import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { LockedPackage } from "#lib/flake/lock.ts";
import { debianPackage } from "../debian/package-file.ts";
import type { PackageLock } from "../environments.ts";
import type { Linux } from "../linux/linux.ts";
import { mkDerivation } from "../mk-derivation.ts";

/** What an initial RAM disk must be able to do. */
export interface InitrdOptions {
  readonly name?: string;
  readonly linux: Linux;
  /** Modules without which the root file system is out of reach; a kernel that lacks one is an error. */
  readonly modules?: readonly string[];
  /** Modules of boards, taken when the kernel has them. */
  readonly optionalModules?: readonly string[];
}

/** Enough for an ext4 root file system on a virtio disk. */
const virtualMachineModules = ["virtio_blk", "virtio_pci", "ext4"];

/** SD card and eMMC controllers of Raspberry Pi boards, and USB and NVMe disks behind them. */
const raspberryPiModules = ["mmc_block", "sdhci-brcmstb", "sdhci-iproc", "bcm2835", "pcie-brcmstb", "nvme"];

/** The locked package with the static busybox; it depends on nothing. */
export function busyboxPackages(lock: PackageLock): readonly LockedPackage[] {
  return lock
    .packages({
      name: "initrd",
      suite: "trixie",
      components: ["main"],
      architectures: ["arm64"],
      packages: ["busybox-static"],
    })
    .filter((pinned) => pinned.name === "busybox-static");
}

const script = source({ path: join(import.meta.dirname, "initrd.sh") });
const init = source({ path: join(import.meta.dirname, "init") });

/**
 * The initial RAM disk, a file: a static busybox, the kernel modules in the
 * order in which they are loaded, and `init`, which mounts the root file system.
 */
export function initrd(tools: Derivation, lock: PackageLock, options: InitrdOptions): Derivation {
  const { linux, name = "initrd", modules = virtualMachineModules, optionalModules = raspberryPiModules } = options;
  return mkDerivation({
    name,
    environment: tools,
    script,
    env: {
      kernel: linux.kernel,
      modules: linux.modules,
      busybox: busyboxPackages(lock).map(debianPackage),
      init,
      required: modules,
      optional: optionalModules,
    },
  });
}
