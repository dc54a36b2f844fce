/**
 * What maintainer scripts of Debian packages would have done on the target, as
 * data by package. They never run, because they would have to run as arm64
 * programs and their results depend on order and time.
 */

import type { Entry } from "./entry.ts";
import { directory, symlink } from "./entry.ts";

/** Links that update-alternatives would make; of several packages for one link the last one in the table wins. */
const alternatives: readonly (readonly [packageName: string, link: string, target: string])[] = [
  ["mawk", "/usr/bin/awk", "mawk"],
  ["mawk", "/usr/bin/nawk", "mawk"],
  ["gawk", "/usr/bin/awk", "gawk"],
  ["gawk", "/usr/bin/nawk", "gawk"],
  ["original-awk", "/usr/bin/awk", "original-awk"],
  ["debianutils", "/usr/bin/which", "which.debianutils"],
  ["util-linux", "/usr/bin/pager", "more"],
  ["less", "/usr/bin/pager", "less"],
  ["tar", "/usr/sbin/rmt", "rmt-tar"],
  ["vim-tiny", "/usr/bin/vi", "vim.tiny"],
  ["vim", "/usr/bin/vi", "vim.basic"],
  ["vim", "/usr/bin/vim", "vim.basic"],
  ["vim-tiny", "/usr/bin/editor", "vim.tiny"],
  ["nano", "/usr/bin/editor", "nano"],
  ["vim", "/usr/bin/editor", "vim.basic"],
  ["netcat-openbsd", "/usr/bin/nc", "nc.openbsd"],
  ["netcat-traditional", "/usr/bin/nc", "nc.traditional"],
  ["openjdk-21-jre-headless", "/usr/bin/java", "../lib/jvm/java-21-openjdk-arm64/bin/java"],
  ["iptables", "/usr/sbin/iptables", "iptables-nft"],
  ["iptables", "/usr/sbin/iptables-restore", "iptables-nft-restore"],
  ["iptables", "/usr/sbin/iptables-save", "iptables-nft-save"],
  ["iptables", "/usr/sbin/ip6tables", "ip6tables-nft"],
  ["iptables", "/usr/sbin/ip6tables-restore", "ip6tables-nft-restore"],
  ["iptables", "/usr/sbin/ip6tables-save", "ip6tables-nft-save"],
  ["libblas3", "/usr/lib/aarch64-linux-gnu/libblas.so.3", "blas/libblas.so.3"],
  ["libopenblas0-pthread", "/usr/lib/aarch64-linux-gnu/libblas.so.3", "openblas-pthread/libblas.so.3"],
  ["liblapack3", "/usr/lib/aarch64-linux-gnu/liblapack.so.3", "lapack/liblapack.so.3"],
  ["libopenblas0-pthread", "/usr/lib/aarch64-linux-gnu/liblapack.so.3", "openblas-pthread/liblapack.so.3"],
];

/** Users and groups that packages make by adduser instead of sysusers.d, as lines of sysusers.d(5). */
const accounts: Readonly<Record<string, readonly string[]>> = {
  "avahi-daemon": ['u avahi - "Avahi mDNS daemon" /run/avahi-daemon'],
  chrony: ['u _chrony - "Chrony daemon" /var/lib/chrony'],
  "dnsmasq-base": ['u dnsmasq -:nogroup "dnsmasq" /var/lib/misc'],
  "openssh-client": ["g _ssh -"],
};

/** Directories that maintainer scripts make. */
const directories: Readonly<Record<string, readonly Entry[]>> = {
  "base-files": [
    ...["/etc/opt", "/media", "/mnt", "/opt", "/srv", "/usr/local", "/var/opt"].map((path) => directory(path)),
    ...["bin", "etc", "games", "include", "lib", "libexec", "sbin", "share", "src"].map((name) =>
      directory(`/usr/local/${name}`),
    ),
    directory("/var/mail", "2775", 0, 8),
    symlink("/var/spool/mail", "../mail"),
  ],
  dbus: [symlink("/var/lib/dbus/machine-id", "/etc/machine-id")],
  "openssh-server": [directory("/etc/ssh/sshd_config.d")],
  // Persistent journal: journald writes to disk where this directory exists.
  systemd: [directory("/var/log/journal")],
};

/** The links, directories and the like that the given packages need. */
export function maintainerScriptEntries(has: (packageName: string) => boolean): readonly Entry[] {
  const links = new Map<string, Entry>();
  for (const [packageName, link, target] of alternatives) {
    if (has(packageName)) links.set(link, symlink(link, target));
  }
  const made = Object.entries(directories).flatMap(([packageName, entries]) => (has(packageName) ? entries : []));
  return [...links.values(), ...made];
}

/** Lines of sysusers.d(5) for accounts that no sysusers.d file declares. */
export function maintainerScriptAccounts(has: (packageName: string) => boolean): readonly string[] {
  return Object.entries(accounts).flatMap(([packageName, lines]) => (has(packageName) ? lines : []));
}
