import type { RootEntry } from "#lib/build/sandbox/arguments.ts";
import { sandboxPaths, type MachineFile } from "./qemu-arguments.ts";

/** What QEMU's sandbox holds. */
export interface MachineSandbox {
  /** Physical path of the tool root, and what its top directory holds. */
  readonly root: string;
  readonly rootEntries: readonly RootEntry[];
  readonly files: readonly MachineFile[];
  /** Physical path of the working directory. */
  readonly work: string;
  /** Physical path of the serial log, which exists; not for programs that only prepare a machine. */
  readonly serialLog?: string;
}

/**
 * The arguments for bubblewrap that confine QEMU: the tool root and the machine's
 * files read-only but for its disk, one writable directory, no network, no other processes, and
 * an end together with ours. Namespaces are asked for by name, since
 * `--unshare-all` goes on without those that the kernel denies.
 */
export function machineSandboxArguments(sandbox: MachineSandbox): string[] {
  return [
    ["user", "ipc", "pid", "net", "uts", "cgroup"].map((namespace) => `--unshare-${namespace}`),
    ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "machine"],
    sandbox.rootEntries.flatMap((entry) =>
      entry.kind === "symlink"
        ? ["--symlink", entry.target, `/${entry.name}`]
        : ["--ro-bind", `${sandbox.root}/${entry.name}`, `/${entry.name}`],
    ),
    ["--proc", "/proc", "--dev", "/dev"],
    sandbox.files.flatMap(({ physical, logical, writable }) => [writable ? "--bind" : "--ro-bind", physical, logical]),
    ["--bind", sandbox.work, sandboxPaths.work, "--chdir", sandboxPaths.work],
    sandbox.serialLog === undefined ? [] : ["--bind", sandbox.serialLog, sandboxPaths.serialLog],
    // QEMU puts what the guest writes to disks into TMPDIR.
    [
      "--setenv",
      "PATH",
      "/usr/bin:/bin",
      "--setenv",
      "TMPDIR",
      sandboxPaths.work,
      "--setenv",
      "HOME",
      sandboxPaths.work,
    ],
    ["--setenv", "LC_ALL", "C.UTF-8"],
    ["--remount-ro", "/"],
    ["--"],
  ].flat();
}
