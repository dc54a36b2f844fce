import { defineModule, mkDefault } from "#lib/evaluator/index.ts";
import type { AssertionData } from "#lib/machine/assertion-data.ts";
import { backend } from "./backend.ts";

/** Made by helios-provision when there is a DATA partition on the system's own disk. */
const device = "/run/helios-data/device";
const data = "/var/lib/helios";

/** Whether services that go by DATA may start: where there is that partition it is still mounted, and not only once was. */
export const dataIsMounted = `/bin/sh -c '! test -e ${device} || mountpoint --quiet ${data}'`;

/** The disk that DATA is on. */
const disk = `/dev/$(lsblk --noheadings --output PKNAME ${device})`;

/** Of each partition its number, its type, and whether it is aligned and behind the one before; then whether the last reaches the end. */
const describeTable = [
  `partx --noheadings --raw --output NR,START,SECTORS,TYPE ${disk}`,
  `awk -v disk="$(blockdev --getsz ${disk})" '{ print $1, $4, ($2 % 2048 == 0), ($2 >= end); end = $2 + $3 } END { print (disk >= end && disk < end + 2048) }'`,
].join(" | ");

const cut = { unit: "helios-provision.service" };

/** What is true once DATA has been made, however often that was begun. */
const provisioned: readonly AssertionData[] = [
  {
    description: "the free space of the disk has become one more partition",
    command: describeTable,
    expect: { stdout: { equals: "1 0xc 1 1\n2 0x83 1 1\n3 0x83 1 1\n1\n" } },
  },
  {
    description: "exactly one partition is labelled DATA",
    command: `lsblk --noheadings --raw --output LABEL ${disk} | grep --count --line-regexp DATA`,
    expect: { stdout: { equals: "1" } },
  },
  { type: "mount", path: data, fileSystem: "ext4", options: ["rw", "nosuid", "nodev", "noatime"] },
  { type: "file", kind: "directory", path: data, mode: "750", owner: "root", group: "root" },
  {
    description: "DATA is what is mounted, and it is as large as its partition",
    command: `findmnt --noheadings --output LABEL ${data}; part=$(blockdev --getsize64 ${device}); size=$(dumpe2fs -h ${device} 2>/dev/null | awk -F: '/^Block count/ { blocks = $2 } /^Block size/ { print blocks * $2 }'); echo $((part - size < 65536))`,
    expect: { stdout: { equals: "DATA\n1" } },
  },
];

/**
 * First boot: the free space of the disk becomes the partition DATA, mounted on
 * /var/lib/helios. Without free space the directory stays on the root file
 * system, and nothing waits: the mount is skipped by its condition. So it names
 * a link, not LABEL=DATA, for which systemd would wait until a timeout; and a
 * stick that happens to have that label is never taken for it.
 */
export default defineModule({
  name: "profiles/helios/provisioning",
  config: {
    // sfdisk
    buildroot: { starting_point: { packages: { install: ["fdisk"] } } },
    // What helios-provision makes DATA of, at least.
    image: { reserved: { DATA: mkDefault(64) } },
    program: {
      rust: { artifacts: [{ ...backend, id: "helios-provision" }] },
      install: { items: [{ artifact: "helios-provision", dest: "/usr/bin/helios-provision" }] },
    },
    services: {
      units: {
        "helios-provision.target": {
          unit: {
            Description: "HeliOS is provisioned",
            DefaultDependencies: false,
            Wants: "helios-provision.service",
            After: "helios-provision.service",
            Before: ["local-fs.target", "shutdown.target"],
            Conflicts: "shutdown.target",
          },
          wantedBy: ["local-fs.target"],
        },
        "helios-provision.service": {
          unit: {
            Description: "Make the DATA partition",
            DefaultDependencies: false,
            After: ["systemd-remount-fs.service", "systemd-udevd.service"],
            Before: ["local-fs.target", "shutdown.target"],
            Conflicts: "shutdown.target",
            ConditionPathIsReadWrite: "/var/lib",
          },
          service: {
            Type: "oneshot",
            RemainAfterExit: true,
            ExecStart: `/usr/bin/helios-provision --link ${device}`,
            TimeoutStartSec: "5min",
            NoNewPrivileges: true,
          },
        },
        "var-lib-helios.mount": {
          unit: {
            Description: "HeliOS data",
            Requires: "helios-provision.service",
            After: "helios-provision.service",
            ConditionPathExists: device,
          },
          mount: {
            What: device,
            Where: data,
            Type: "ext4",
            Options: "rw,nosuid,nodev,noatime",
            TimeoutSec: "30s",
          },
          // Wanted, not required: a damaged partition must not keep the machine from booting.
          wantedBy: ["local-fs.target"],
        },
      },
    },
    tests: {
      powerCuts: [
        {
          // Each boot goes on where the one before was cut off.
          cuts: [
            {
              ...cut,
              description: "before DATA is in the partition table",
              program: "sfdisk",
              argument: "--append",
              when: "before",
            },
            { ...cut, description: "before DATA has a file system", program: "mkfs.ext4", when: "before" },
            { ...cut, description: "while the file system of DATA is made", program: "mkfs.ext4", when: "during" },
            { ...cut, description: "before it is noted that DATA is ready", program: "mkfs.ext4", when: "after" },
          ],
          assertions: [
            { type: "unit-active", unit: "var-lib-helios.mount" },
            ...provisioned,
            {
              description: "provisioning knew that it had been interrupted",
              command: "journalctl --boot --output=cat --identifier helios-provision",
              expect: {
                stdout: { matches: "^helios-provision: make the file system of /dev/\\S+, which was interrupted$" },
              },
            },
            {
              description: "nothing is noted any more, and DATA can be written to",
              command: `test ! -e /var/lib/helios-provision/started && touch ${data}/written`,
              expect: {},
            },
          ],
        },
      ],
      // An SD card is larger than the image.
      diskMiB: mkDefault(8192),
      boot: [
        { type: "unit-active", unit: "helios-provision.target" },
        ...provisioned,
        {
          description: "provisioning a second time finds nothing to do",
          command: "helios-provision --dry-run",
          expect: { stdout: { matches: "^helios-provision: DATA is /dev/\\S+; nothing to do \\(dry run\\)$" } },
        },
        {
          description: "something is written to DATA, to be found after the reboot",
          command: `cat /proc/sys/kernel/random/boot_id >${data}/first-boot && cmp /proc/sys/kernel/random/boot_id ${data}/first-boot`,
          expect: {},
        },
      ],
      persistent: [
        {
          description: "the partition table",
          command: `sfdisk --dump ${disk}`,
        },
        { description: "the file system of DATA", command: `blkid --output export ${device}` },
        {
          description: "what is on DATA",
          command: `cd ${data} && cat first-boot && find . -xdev -name lost+found -printf '%i %p\\n'`,
        },
      ],
      reboot: [
        { type: "mount", path: data, fileSystem: "ext4", options: ["rw", "nosuid", "nodev", "noatime"] },
        {
          description: "provisioning found its work done",
          command: "journalctl --boot --unit helios-provision.service --output=cat --identifier helios-provision",
          expect: { stdout: { matches: "^helios-provision: DATA is /dev/\\S+; nothing to do$" } },
        },
        {
          description: "the boot that wrote to DATA was another one",
          command: `cmp --silent /proc/sys/kernel/random/boot_id ${data}/first-boot`,
          expect: { status: 1 },
        },
      ],
    },
  },
});
