import { defineModule, mkDefault } from "#lib/evaluator/index.ts";

/**
 * A system to work on: tools to look around with, a person who may do
 * everything, and traces of what went wrong. Not for what leaves the house.
 */
export default defineModule({
  name: "profiles/development",
  config: {
    buildroot: {
      starting_point: {
        packages: {
          install: [
            "bash-completion",
            "ca-certificates",
            "curl",
            "file",
            "gdbserver",
            "htop",
            "i2c-tools",
            "iperf3",
            "iputils-ping",
            "lsof",
            "nano",
            "psmisc",
            "rsync",
            "strace",
            "sudo",
            "tcpdump",
            "usbutils",
            "vim-tiny",
          ],
        },
      },
    },
    boot: {
      // What the kernel says, on the console too.
      kernelParams: ["loglevel=7", "printk.devkmsg=on"],
      sysctl: {
        "kernel.dmesg_restrict": mkDefault(false),
        "kernel.sysrq": mkDefault(1),
        "kernel.core_pattern": mkDefault("/var/tmp/core.%e.%p"),
      },
    },
    users: {
      users: {
        developer: { description: "Whoever works on this system", extraGroups: ["adm", "sudo", "systemd-journal"] },
      },
    },
    services: { openssh: { enable: true } },
    stage: {
      files: [
        {
          dst: "/etc/sudoers.d/10-development",
          content:
            "# There is no password that could be asked for: people come in by their keys.\n%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n",
          mode: "0440",
        },
        {
          dst: "/etc/systemd/system.conf.d/20-development.conf",
          content: "[Manager]\nDefaultLimitCORE=infinity\n",
        },
        // Kept over reboots, for the crash before the last one.
        {
          dst: "/etc/systemd/journald.conf.d/20-development.conf",
          content: "[Journal]\nStorage=persistent\nSystemMaxUse=256M\n",
        },
        {
          dst: "/etc/profile.d/development.sh",
          content: "alias ll='ls -l --color=auto'\nexport EDITOR=nano SYSTEMD_PAGER=cat\n",
        },
      ],
    },
    tests: {
      boot: [
        {
          description: "the developer becomes root without a password",
          command: "runuser -u developer -- sudo -n id -u",
          expect: { stdout: { equals: "0\n" } },
        },
        {
          description: "there are tools to look around with",
          command: "strace -V | head -n 1; tcpdump --version 2>&1 | head -n 1; gdbserver --version | head -n 1",
          expect: { stdout: { matches: "^strace[^\\n]*\\ntcpdump[^\\n]*\\nGNU gdbserver" } },
        },
        { type: "file", path: "/etc/sudoers.d/10-development", mode: "440", owner: "root" },
      ],
    },
  },
});
