import type { Credential } from "./credentials.ts";

/** What the machine starts from. All paths are physical paths on the host, and are only ever read. */
export type BootSource =
  /** The kernel directly. `commandLine` is the image's own; the driver adds `tuningWords` to it. */
  | { readonly type: "kernel"; readonly kernel: string; readonly initrd?: string; readonly commandLine: string }
  /**
   * EFI firmware that finds a boot loader, and by that kernel, initrd and command line, on the disk alone. The boot
   * loader is systemd-boot: it appends the driver's `tuningWords` to the command line of its entry.
   */
  | { readonly type: "efi"; readonly firmware: string }
  /** Other firmware, such as U-Boot, that finds everything on the disk; the command line stays as it is there. */
  | { readonly type: "firmware"; readonly firmware: string };

/** A disk besides the image. */
export interface Disk {
  /** Raw disk image on the host; what the guest writes to it is thrown away. */
  readonly path: string;
  /** Serial number in the guest: /dev/disk/by-id/virtio-<serial>. At most 20 characters. */
  readonly serial: string;
}

/** A virtual machine. */
export interface MachineOptions {
  /** Names the machine in messages. */
  readonly name: string;
  /** Physical path of the tool root that holds QEMU; it is mounted as the root of QEMU's sandbox. */
  readonly qemuRoot: string;
  readonly boot: BootSource;
  /** The SD image, raw; what the guest writes to it is thrown away, or kept in `overlay`. */
  readonly image: string;
  /** A file over the image that `makeOverlay` made: the guest's writes go there, and the next machine finds them. */
  readonly overlay?: string;
  readonly disks?: readonly Disk[];
  /** Default 1024. */
  readonly memoryMiB?: number;
  /** Default 2. More than the host has makes an emulated machine slower. */
  readonly processors?: number;
  /** Further credentials for systemd in the guest. */
  readonly credentials?: readonly Credential[];
  /**
   * Whether what the guest flushes reaches `overlay` at once, as it must where the machine is killed and its disk used
   * again. Default false, which is faster.
   */
  readonly flushes?: boolean;
  /** Directory on the host for serial.log and journal.log. They stay; the caller removes them when they are of no use any more. */
  readonly directory: string;
  /** Directory on the host, which exists, for what is gone with the machine. */
  readonly temporary: string;
}
