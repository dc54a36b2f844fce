import { defineModule } from "#lib/evaluator/index.ts";
import { backend } from "./backend.ts";

/** Made by helios-provision when there is a DATA partition on the system's own disk. */
const device = "/run/helios-data/device";

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
            Where: "/var/lib/helios",
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
      boot: [
        { type: "unit-active", unit: "helios-provision.target" },
        {
          description: "DATA is mounted if the disk had room for it",
          command: `if [ -e ${device} ]; then findmnt --noheadings --output LABEL,FSTYPE /var/lib/helios; else echo "DATA ext4"; fi`,
          expect: { stdout: { matches: "^DATA +ext4\\s*$" } },
        },
        {
          description: "provisioning a second time finds nothing to do",
          command: "helios-provision --dry-run",
          expect: { stdout: { matches: "nothing to do \\(dry run\\)" } },
        },
      ],
    },
  },
});
