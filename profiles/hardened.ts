import { defineModule } from "#lib/evaluator/index.ts";

/** Filesystems and protocols that no device or person needs to bring in, and that have had their share of holes. */
const rarelyNeeded = [
  "cramfs",
  "dccp",
  "firewire-core",
  "freevxfs",
  "hfs",
  "hfsplus",
  "jffs2",
  "n-hdlc",
  "rds",
  "sctp",
  "tipc",
  "udf",
];

/**
 * Less to attack, on any system: what the kernel tells and loads, where
 * programs may be run from, who may log in, what services may do. Programs of
 * one's own take `sandboxed` besides, see `sandboxed-service.ts`.
 */
export default defineModule({
  name: "profiles/hardened",
  config: {
    boot: {
      kernelParams: ["slab_nomerge", "init_on_alloc=1", "page_alloc.shuffle=1", "randomize_kstack_offset=on"],
      modprobe: { blacklist: rarelyNeeded },
      sysctl: {
        // Addresses of the kernel are a help to nobody else.
        "kernel.kptr_restrict": 2,
        "kernel.dmesg_restrict": true,
        "kernel.perf_event_paranoid": 3,
        "kernel.yama.ptrace_scope": 2,
        "kernel.unprivileged_bpf_disabled": true,
        "net.core.bpf_jit_harden": 2,
        "kernel.kexec_load_disabled": true,
        "kernel.sysrq": 0,
        // No core dumps: they have passwords and keys in them.
        "kernel.core_pattern": "|/bin/false",
        "fs.suid_dumpable": 0,
        "fs.protected_fifos": 2,
        "fs.protected_regular": 2,
        "fs.protected_hardlinks": true,
        "fs.protected_symlinks": true,
        // Only packets that the routing table expects, and no advice about routes.
        "net.ipv4.conf.all.rp_filter": 1,
        "net.ipv4.conf.default.rp_filter": 1,
        "net.ipv4.conf.all.accept_redirects": false,
        "net.ipv4.conf.default.accept_redirects": false,
        "net.ipv4.conf.all.send_redirects": false,
        "net.ipv4.conf.all.accept_source_route": false,
        "net.ipv4.tcp_syncookies": 1,
        "net.ipv6.conf.all.accept_redirects": false,
        "net.ipv6.conf.default.accept_redirects": false,
      },
    },
    services: {
      openssh: {
        permitRootLogin: "no",
        passwordAuthentication: false,
        extraConfig: [
          "KbdInteractiveAuthentication no",
          "MaxAuthTries 3",
          "LoginGraceTime 30",
          "X11Forwarding no",
          "AllowAgentForwarding no",
          "AllowTcpForwarding no",
          "PermitTunnel no",
          "ClientAliveInterval 300",
          "",
        ].join("\n"),
      },
      units: {
        "tmp.mount": {
          vendor: true,
          mount: { Options: "mode=1777,strictatime,nosuid,nodev,noexec,size=50%%,nr_inodes=1m" },
          wantedBy: ["local-fs.target"],
        },
      },
    },
    stage: {
      files: [
        {
          dst: "/etc/systemd/system.conf.d/10-hardened.conf",
          content: "[Manager]\nDumpCore=no\nDefaultLimitCORE=0\n",
        },
        {
          // For every service, also of packages. Only what logged-in people, who inherit it, will not miss.
          dst: "/etc/systemd/system/service.d/10-hardened.conf",
          content: "[Service]\nLockPersonality=yes\nRestrictRealtime=yes\nSystemCallArchitectures=native\n",
        },
      ],
    },
    tests: {
      boot: (config) => [
        {
          description: "the kernel keeps its addresses, messages and core dumps to itself",
          command: "sysctl -n kernel.kptr_restrict kernel.dmesg_restrict kernel.core_pattern fs.suid_dumpable",
          expect: { stdout: { equals: "2\n1\n|/bin/false\n0\n" } },
        },
        {
          description: "no program is run from /tmp",
          command: "cp /usr/bin/true /tmp/true && /tmp/true; echo $?; rm -f /tmp/true",
          expect: { stdout: { matches: "126\\s*$" } },
        },
        {
          description: "every service is held back",
          command:
            "systemctl show --property LockPersonality --property RestrictRealtime --value systemd-udevd.service",
          expect: { stdout: { equals: "yes\nyes\n" } },
        },
        ...(config.services.openssh.enable
          ? [
              {
                description: "the ssh server forwards nothing",
                command: "sshd -T | grep -E '^(allowtcpforwarding|x11forwarding|kbdinteractiveauthentication) ' | sort",
                expect: {
                  stdout: { equals: "allowtcpforwarding no\nkbdinteractiveauthentication no\nx11forwarding no\n" },
                },
              },
            ]
          : []),
      ],
    },
  },
});
