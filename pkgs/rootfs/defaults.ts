import type { Entry } from "./entry.ts";
import { directory, file, symlink } from "./entry.ts";
import { maintainerScriptEntries } from "./maintainer-scripts.ts";
import { pamEntries } from "./pam.ts";

/** What makes one system of otherwise equal packages different from another. */
export interface Identity {
  readonly hostName: string;
  /** Of the zone files: `Etc/UTC`, `Europe/Berlin`. */
  readonly timeZone?: string;
  /** `C.UTF-8` by default, which needs no generated locale. */
  readonly locale?: string;
  /** How the root file system is named in `/etc/fstab`, and its type; none leaves it to the kernel's parameters. */
  readonly root?: { readonly device: string; readonly type: string; readonly options?: string };
}

/**
 * What an unpacked set of Debian packages lacks to be a system that starts. An
 * entry that a layer writes itself is left out by the caller, so all of these
 * are only defaults.
 */
export function defaultEntries(has: (packageName: string) => boolean): readonly Entry[] {
  return [
    ...nameServiceEntries(has),
    ...pamEntries(has),
    ...maintainerScriptEntries(has),
    ...shellEntries,
    ...stateEntries,
    ...unitEntries,
    // The unit comes with systemd, the program with libc-bin; the loader finds its directories without a cache.
    ...(has("libc-bin") ? [] : [symlink("/etc/systemd/system/ldconfig.service", "/dev/null")]),
    ...(has("openssh-server") ? sshEntries : []),
  ];
}

/** What a system is called, and what follows from that: of the configuration, whatever the base is. */
export function identityEntries({
  hostName,
  timeZone = "Etc/UTC",
  locale = "C.UTF-8",
  root,
}: Identity): readonly Entry[] {
  return [
    file("/etc/hostname", `${hostName}\n`),
    file(
      "/etc/hosts",
      `127.0.0.1\tlocalhost\n127.0.1.1\t${hostName}\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n`,
    ),
    symlink("/etc/localtime", `../usr/share/zoneinfo/${timeZone}`),
    file("/etc/locale.conf", `LANG=${locale}\n`),
    // pam_env reads it for ssh sessions; Debian keeps the name of the time before systemd.
    symlink("/etc/default/locale", "../locale.conf"),
    file(
      "/etc/fstab",
      root === undefined ? "" : `${root.device}\t/\t${root.type}\t${root.options ?? "rw,noatime"}\t0\t1\n`,
    ),
  ];
}

/** How users, groups and hosts are looked up. */
function nameServiceEntries(has: (packageName: string) => boolean): readonly Entry[] {
  const accounts = has("libnss-systemd") ? "files systemd" : "files";
  const hosts = [
    "files",
    ...(has("libnss-resolve") ? ["resolve [!UNAVAIL=return]"] : []),
    ...(has("libnss-myhostname") ? ["myhostname"] : []),
    "dns",
  ];
  const table = [
    ...["passwd", "group", "shadow", "gshadow"].map((database) => [database, accounts]),
    ["hosts", hosts.join(" ")],
    ["networks", "files"],
    ...["protocols", "services", "ethers", "rpc"].map((database) => [database, "files"]),
  ];
  const resolver = has("systemd-resolved") ? "../run/systemd/resolve/stub-resolv.conf" : "../run/resolv.conf";
  return [
    file("/etc/nsswitch.conf", table.map(([database, sources]) => `${database}: ${sources}\n`).join("")),
    symlink("/etc/resolv.conf", resolver),
  ];
}

const shellEntries: readonly Entry[] = [
  file(
    "/etc/profile",
    `# Read by login shells.
if [ "$(id -u)" -eq 0 ]; then
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
else
  PATH=/usr/local/bin:/usr/bin
fi
export PATH
if [ "\${PS1-}" ]; then
  if [ "$(id -u)" -eq 0 ]; then PS1='# '; else PS1='$ '; fi
  if [ "\${BASH-}" ] && [ "$BASH" != /bin/sh ] && [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi
fi
for script in /etc/profile.d/*.sh; do
  if [ -r "$script" ]; then . "$script"; fi
done
unset script
`,
  ),
  file("/etc/environment", ""),
  file("/etc/motd", ""),
  file("/etc/shells", "/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n/bin/dash\n/usr/bin/dash\n"),
];

const stateEntries: readonly Entry[] = [
  directory("/boot"),
  directory("/dev"),
  directory("/home"),
  directory("/proc"),
  directory("/root", "0700"),
  directory("/run"),
  directory("/sys"),
  directory("/tmp", "1777"),
  directory("/var/tmp", "1777"),
  symlink("/etc/mtab", "../proc/self/mounts"),
  // Empty: the machine gets its own id at the first start.
  file("/etc/machine-id", ""),
  // Newer than /usr (all times are equal): hwdb, catalog, sysusers and the like are not made again at the first start.
  file("/etc/.updated", ""),
  file("/var/.updated", ""),
];

const unitDirectory = "/usr/lib/systemd/system";

const unitEntries: readonly Entry[] = [
  symlink("/etc/systemd/system/default.target", `${unitDirectory}/multi-user.target`),
  symlink("/etc/systemd/system/getty.target.wants/getty@tty1.service", `${unitDirectory}/getty@.service`),
  symlink("/etc/systemd/system/multi-user.target.wants/remote-fs.target", `${unitDirectory}/remote-fs.target`),
];

const hostKey = "/etc/ssh/ssh_host_ed25519_key";

const sshEntries: readonly Entry[] = [
  file(
    "/etc/ssh/sshd_config",
    `# Settings come from the drop-ins; of several the first one counts.
Include /etc/ssh/sshd_config.d/*.conf
HostKey ${hostKey}
KbdInteractiveAuthentication no
UsePAM yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
`,
  ),
  // Debian's unit runs only if systemd sees a first boot, never again if that one was cut short, and makes an RSA
  // key too, which takes longer than the rest of the boot.
  file(
    "/etc/systemd/system/sshd-keygen.service.d/10-host-key.conf",
    `[Unit]
ConditionFirstBoot=
ConditionFileNotEmpty=!${hostKey}

[Service]
ExecStart=
ExecStart=/usr/bin/rm -f ${hostKey} ${hostKey}.pub
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f ${hostKey}
`,
  ),
  symlink("/etc/systemd/system/ssh.service.wants/sshd-keygen.service", `${unitDirectory}/sshd-keygen.service`),
];
