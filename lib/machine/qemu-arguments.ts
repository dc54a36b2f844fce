import { kernelCommandLine, patienceWords, tuningWords } from "./kernel-command-line.ts";
import { placeCredentials, shellCredentials, shellPort } from "./credentials.ts";
import type { MachineOptions } from "./options.ts";
import type { TimeLimits } from "./time-limits.ts";

/** Where things are in QEMU's sandbox. */
export const sandboxPaths = {
  /** The only writable directory. */
  work: "/work",
  /** What the machine is made of, read-only but for an overlay. */
  machine: "/machine",
  /** The image; an overlay names it. */
  image: "/machine/image",
  /** The kept log of the serial console. */
  serialLog: "/serial.log",
} as const;

/** The file names in the working directory. */
export const workFiles = { serial: "serial.log", monitor: "monitor" } as const;

/** A file of the host that QEMU sees. */
export interface MachineFile {
  /** What it is, for messages: "kernel". */
  readonly role: string;
  readonly physical: string;
  /** Its path in the sandbox. */
  readonly logical: string;
  readonly writable: boolean;
}

/** A machine as a QEMU command line. */
export interface QemuPlan {
  readonly args: readonly string[];
  readonly files: readonly MachineFile[];
  /** Credentials: files to write into the working directory before the start, by name. */
  readonly workFiles: ReadonlyMap<string, string>;
}

/** Why no command line can be made. */
export interface ImpossiblePlan {
  readonly problem: string;
}

/** Bytes that may be added to a command line of which only the disk knows the length; arm64 takes 2047 in all. */
const longestAddition = 1536;

/** A raw disk of which QEMU throws away what the guest writes. */
const thrownAway = (path: string): string => `file=${path},format=raw,snapshot=on`;

/**
 * Works out QEMU's arguments. Pure.
 *
 * The processor is a Cortex-A72: QEMU emulates the newest ones more than twice as
 * slowly, because of pointer authentication. Standard input and output of QEMU are
 * the shell's virtio port, so there is nothing to connect to and nothing to leave behind.
 */
export function planQemu(options: MachineOptions, limits: TimeLimits): QemuPlan | ImpossiblePlan {
  const placed = placeCredentials([...shellCredentials(), ...(options.credentials ?? [])]);
  const files: MachineFile[] = [];
  const mount = (role: string, physical: string, writable = false): string => {
    const logical = `${sandboxPaths.machine}/${role}`;
    files.push({ role, physical, logical, writable });
    return logical;
  };

  const words = [...tuningWords, ...patienceWords(limits), ...placed.words];
  const boot: string[] = [];
  switch (options.boot.type) {
    case "kernel": {
      const line = kernelCommandLine(options.boot.commandLine, words);
      if (line === undefined)
        return { problem: "the kernel command line is longer than the 2047 bytes that arm64 takes" };
      boot.push("-kernel", mount("kernel", options.boot.kernel), "-append", line);
      if (options.boot.initrd !== undefined) boot.push("-initrd", mount("initrd", options.boot.initrd));
      break;
    }
    case "efi": {
      const line = words.join(" ");
      if (Buffer.byteLength(line) > longestAddition)
        return { problem: `what is to be added to the disk's command line is longer than ${longestAddition} bytes` };
      // See systemd-boot(7). In QEMU's own arguments a comma is written twice.
      const value = `io.systemd.boot.kernel-cmdline-extra=${line}`.replaceAll(",", ",,");
      boot.push("-bios", mount("firmware", options.boot.firmware), "-smbios", `type=11,value=${value}`);
      break;
    }
    case "firmware": {
      const [tooLong] = placed.words;
      if (tooLong !== undefined) {
        const name = tooLong.slice(tooLong.indexOf("=") + 1, tooLong.indexOf(":"));
        return {
          problem: `the credential name '${name}' is longer than the 28 characters that this firmware can pass`,
        };
      }
      boot.push("-bios", mount("firmware", options.boot.firmware));
      break;
    }
  }

  mount("image", options.image);
  const disks = [
    options.overlay === undefined
      ? { id: "image", source: thrownAway(sandboxPaths.image), serial: "" }
      : { id: "image", source: `file=${mount("overlay", options.overlay, true)},format=qcow2`, serial: "" },
    ...(options.disks ?? []).map((disk, index) => ({
      id: `disk${index}`,
      source: thrownAway(mount(`disk${index}`, disk.path)),
      serial: `,serial=${disk.serial}`,
    })),
  ].flatMap(({ id, source, serial }) => [
    "-drive",
    `if=none,id=${id},${source},cache=${options.flushes === true ? "writeback" : "unsafe"}`,
    "-device",
    `virtio-blk-pci,drive=${id}${serial}`,
  ]);

  const args = [
    ["-name", options.name.replaceAll(",", "_")],
    [
      "-M",
      "virt",
      "-cpu",
      "cortex-a72",
      "-smp",
      String(options.processors ?? 2),
      "-m",
      String(options.memoryMiB ?? 1024),
    ],
    ["-accel", "tcg,thread=multi"],
    // A reset ends the machine instead of booting it again and again.
    ["-nodefaults", "-display", "none", "-no-reboot"],
    ["-chardev", `file,id=serial,path=${sandboxPaths.serialLog}`, "-serial", "chardev:serial"],
    [
      "-chardev",
      `socket,id=monitor,path=${sandboxPaths.work}/${workFiles.monitor},server=on,wait=off`,
      "-mon",
      "chardev=monitor,mode=control",
    ],
    [
      "-chardev",
      "stdio,id=shell,signal=off",
      "-device",
      "virtio-serial-pci",
      "-device",
      `virtserialport,chardev=shell,name=${shellPort}`,
    ],
    disks,
    // The user-mode network has an address and a name server for the guest, and in a network namespace without interfaces nothing beyond.
    ["-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network,romfile="],
    ["-device", "virtio-rng-pci"],
    placed.firmware.flatMap(({ name }, index) => [
      "-fw_cfg",
      `name=${name},file=${sandboxPaths.work}/credential-${index}`,
    ]),
    boot,
  ].flat();
  return {
    args,
    files,
    workFiles: new Map(placed.firmware.map(({ content }, index) => [`credential-${index}`, content])),
  };
}
