import type { Derivation } from "#lib/derivations/derivation.ts";
import { debianPackage } from "./debian/package-file.ts";
import type { PackageLock } from "./environments.ts";
import { mkDerivation } from "./mk-derivation.ts";

/**
 * EFI firmware (EDK II) for QEMU's `virt` machine: one file for `-bios`, taken out
 * of its package, which brings 400 MiB of flash images besides.
 */
export function efiFirmware(tools: Derivation, lock: PackageLock): Derivation {
  const packages = lock
    .packages({
      name: "efi-firmware",
      suite: "trixie",
      components: ["main"],
      architectures: ["amd64"],
      packages: ["qemu-efi-aarch64"],
    })
    .filter((pinned) => pinned.name === "qemu-efi-aarch64");
  return mkDerivation({
    name: "efi-aarch64.fd",
    environment: tools,
    env: { package: packages.map(debianPackage) },
    script: `dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/share/qemu-efi-aarch64/QEMU_EFI.fd > "$out"`,
  });
}
