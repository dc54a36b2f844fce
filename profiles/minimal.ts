import { defineModule, mkOrder, mkOverride } from "#lib/evaluator/index.ts";

/** The least that boots to a shell by itself: systemd, udev, a console, basic tools. */
export default defineModule({
  name: "profiles/minimal",
  config: {
    buildroot: {
      starting_point: {
        packages: {
          install: [
            "base-files",
            "bash",
            "bsdutils",
            "coreutils",
            "dash",
            "dbus",
            "diffutils",
            "e2fsprogs",
            "findutils",
            "gawk",
            "grep",
            "gzip",
            "hostname",
            "iproute2",
            "kmod",
            "less",
            "libc-bin",
            "libpam-modules",
            "libpam-runtime",
            "libpam-systemd",
            "login",
            "mount",
            "ncurses-base",
            "netbase",
            "passwd",
            "procps",
            "sed",
            "systemd",
            "systemd-sysv",
            "tar",
            "tzdata",
            "udev",
            "util-linux",
          ],
        },
      },
    },
    boot: {
      initrd: { modules: ["virtio_blk", "virtio_pci", "ext4"] },
      // After other words and before the board's own console, which is the last.
      kernelParams: mkOrder(1200, ["console=tty1"]),
    },
    // Gives way to the names of profiles that are built on this one.
    build: { name: mkOverride(1400, "minimal") },
    services: {
      units: {
        "getty@tty1.service": { vendor: true, wantedBy: ["getty.target"] },
      },
    },
  },
});
