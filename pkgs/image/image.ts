import { join } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import type { LockedPackage } from "#lib/flake/lock.ts";
import { debianPackage } from "../debian/package-file.ts";
import type { PackageLock } from "../environments.ts";
import { busyboxPackages } from "../initrd/initrd.ts";
import { mkDerivation } from "../mk-derivation.ts";
import type { RootFileSystem } from "../rootfs/rootfs.ts";
import { type BootPartition, bootSources, bootTexts } from "./boot-partition.ts";
import { serialOf, uuidOf } from "./identifiers.ts";

/** What an SD card image is made of. */
export interface ImageOptions {
  /** Of the system; identifiers of the file systems follow from it. */
  readonly name: string;
  /** Of the image, in the output directory. */
  readonly fileName: string;
  readonly rootfs: RootFileSystem;
  readonly boot: BootPartition;
  readonly root?: {
    /** By which the kernel's parameters find it; at most 16 characters. `ACTIVE` by default. */
    readonly label?: string;
    /** In MiB. By default what the files need, and `free`. */
    readonly size?: number;
    /** MiB to leave free where no size is given; 256 by default. */
    readonly free?: number;
  };
  /** 8 hexadecimal digits; PARTUUIDs are made from it. */
  readonly diskSignature?: string;
}

function bootLoaderPackages(lock: PackageLock): readonly LockedPackage[] {
  return lock
    .packages({
      name: "boot-loader",
      suite: "trixie",
      components: ["main"],
      architectures: ["arm64"],
      packages: ["systemd-boot-efi"],
    })
    .filter((pinned) => pinned.name === "systemd-boot-efi");
}

const script = source({ path: join(import.meta.dirname, "image.sh") });

/** The EFI program of systemd-boot, a file. */
function systemdBoot(tools: Derivation, lock: PackageLock): Derivation {
  return mkDerivation({
    name: "systemd-bootaa64.efi",
    environment: tools,
    env: { package: bootLoaderPackages(lock).map(debianPackage) },
    script: `dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/lib/systemd/boot/efi/systemd-bootaa64.efi > "$out"`,
  });
}

/** The whole image with manifest and report. Needs no root and no loop device, and gives the same bits each time. */
export function image(tools: Derivation, lock: PackageLock, options: ImageOptions): Derivation {
  const { name, fileName, rootfs, boot, root = {} } = options;
  const archive = rootfs.archive;
  return mkDerivation({
    name: `${name}-image`,
    environment: tools,
    script,
    env: {
      imageName: name,
      fileName,
      bootSources: json(bootSources(boot, `${systemdBoot(tools, lock)}`)),
      bootTexts: json(bootTexts(boot)),
      bootLabel: boot.label ?? "BOOT",
      bootSize: boot.size ?? 128,
      bootSerial: serialOf(`${name}:boot`),
      rootArchive: archive,
      rootManifest: archive.output("manifest"),
      rootLabel: root.label ?? "ACTIVE",
      rootSize: root.size ?? null,
      rootFree: root.free ?? 256,
      rootUuid: uuidOf(`${name}:root`),
      diskSignature: options.diskSignature ?? serialOf(`${name}:disk`),
      packages: packageList([
        ...rootfs.packages,
        ...boot.linux.packages,
        ...busyboxPackages(lock),
        ...bootLoaderPackages(lock),
      ]),
      passAsFile: ["bootSources", "bootTexts", "packages"],
      // Not read: an image of programs without their libraries, or of units that systemd refuses, must not come to be.
      libraryCheck: rootfs.sharedLibraryCheck,
      unitCheck: rootfs.unitCheck,
    },
  });
}

/** Sorted by path, so that neither order nor insertion matters. */
function json(files: ReadonlyMap<string, string>): string {
  return JSON.stringify(
    Object.fromEntries([...files].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))),
  );
}

function packageList(packages: readonly LockedPackage[]): string {
  const byPath = new Map(packages.map((pinned) => [pinned.path, pinned]));
  const sorted = [...byPath.keys()].sort().flatMap((path) => byPath.get(path) ?? []);
  return JSON.stringify(
    sorted.map(({ name, version, architecture, sha256 }) => ({ name, version, architecture, sha256 })),
  );
}
