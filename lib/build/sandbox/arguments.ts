/**
 * The sandbox as a bubblewrap command line. Pure: the same description gives the same arguments.
 *
 * The new root is an empty tmpfs into which only these are mounted:
 *
 *     /usr /bin /lib … /etc   the environment, read-only
 *     /nix/store              the build's own outputs, writable, and below it each path of the
 *                             inputs' closure, read-only
 *     /build /tmp             private and writable, on disk; /run and /var/tmp lead to /tmp
 *     /proc /dev              of the new PID namespace; null, zero, full, random, urandom, tty, pts, shm
 */

import { storeDirectory } from "#lib/derivations/store-path.ts";

/** One entry of the environment's top directory. */
export type RootEntry =
  | { readonly kind: "mount"; readonly name: string }
  | { readonly kind: "symlink"; readonly name: string; readonly target: string };

/**
 * A place in the sandbox, and what is seen there: something of this machine, read-only, or a symbolic link. What is a
 * link on this machine has to be one in the sandbox: mounted, it would show what it leads to *here*.
 */
export type Entry =
  | { readonly kind: "mount"; readonly logical: string; readonly physical: string }
  | { readonly kind: "symlink"; readonly logical: string; readonly target: string };

/** Everything that a sandboxed process can see. Physical paths are this machine's, logical ones the sandbox's. */
export interface SandboxDescription {
  /** Physical path of the environment, and what its top directory holds. */
  readonly root: string;
  readonly rootEntries: readonly RootEntry[];
  /** Covers single files of the environment, for example /etc/passwd. */
  readonly files: readonly Entry[];
  /** The closure of the inputs. */
  readonly inputs: readonly Entry[];
  /** Physical directories behind /nix/store, /build and /tmp. */
  readonly store: string;
  readonly build: string;
  readonly temporary: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The builder's user and group. Not root: many build systems behave differently for root, some refuse it. */
export const builderUser = { uid: 1000, gid: 100, name: "builder", group: "builders" } as const;

export const buildDirectory = "/build";

/** Each namespace by name, never `--unshare-all`: that one goes on without those that the kernel denies. */
export const isolation: readonly string[] = [
  ["user", "ipc", "pid", "net", "uts", "cgroup"].map((namespace) => `--unshare-${namespace}`),
  ["--die-with-parent", "--new-session", "--clearenv"],
  ["--cap-drop", "ALL"],
  ["--uid", String(builderUser.uid), "--gid", String(builderUser.gid)],
  ["--hostname", "localhost"],
].flat();

/** The arguments for bubblewrap, all but the builder's command. Later mounts cover earlier ones. */
export function sandboxArguments(description: SandboxDescription): string[] {
  const { root, rootEntries, files, inputs, store, build, temporary, variables } = description;
  return [
    isolation,
    ...rootEntries.map((entry) => entryArguments(placed(root, entry))),
    ...files.map(entryArguments),
    // A builder started by root owns the kernel's settings as far as their file modes are concerned.
    ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"],
    ["--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", "/dev/shm"],
    // systemd's tools insist on making their directories in /run.
    ["--bind", temporary, "/tmp", "--symlink", "tmp", "/run"],
    rootEntries.some((entry) => entry.name === "var") ? [] : ["--dir", "/var", "--symlink", "../tmp", "/var/tmp"],
    ["--bind", build, buildDirectory],
    ["--bind", store, storeDirectory],
    ...inputs.map(entryArguments),
    ["--remount-ro", "/", "--chdir", buildDirectory],
    ...Object.entries(variables).map(([name, value]) => ["--setenv", name, value]),
  ].flat();
}

const placed = (root: string, entry: RootEntry): Entry =>
  entry.kind === "symlink"
    ? { kind: "symlink", logical: `/${entry.name}`, target: entry.target }
    : { kind: "mount", logical: `/${entry.name}`, physical: `${root}/${entry.name}` };

const entryArguments = (entry: Entry): string[] =>
  entry.kind === "symlink" ? ["--symlink", entry.target, entry.logical] : ["--ro-bind", entry.physical, entry.logical];
