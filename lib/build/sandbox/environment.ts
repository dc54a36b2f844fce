import { posix } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { builderUser, type Mount, type RootEntry } from "./arguments.ts";

/** Top directories that the sandbox makes itself, whatever the environment holds there. */
const reserved: ReadonlySet<string> = new Set(["build", "dev", "home", "nix", "proc", "root", "run", "sys", "tmp"]);

/**
 * What the top directory of an environment adds to the sandbox's root: links as they are
 * (`bin` → `usr/bin`), directories and files as read-only mounts; sorted.
 */
export async function rootEntries(fs: FileSystemShape, environment: string): Promise<RootEntry[]> {
  const entries = await fs.promises.readdir(environment, { withFileTypes: true });
  const names = entries.filter(({ name }) => !reserved.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(
    names.map(async (entry): Promise<RootEntry> => {
      if (!entry.isSymbolicLink()) return { kind: "mount", name: entry.name };
      const target = await fs.promises.readlink(posix.join(environment, entry.name));
      return { kind: "symlink", name: entry.name, target: String(target) };
    }),
  );
}

/** The user, the group and the only host that exist in the sandbox. */
const accountFiles: Readonly<Record<string, string>> = {
  passwd:
    "root:x:0:0:root:/root:/usr/sbin/nologin\n" +
    `${builderUser.name}:x:${builderUser.uid}:${builderUser.gid}:builder:/build:/bin/sh\n` +
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  group: `root:x:0:\n${builderUser.group}:x:${builderUser.gid}:\nnogroup:x:65534:\n`,
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
};

/**
 * Writes the account files into `directory` and says where they go. They cover the environment's own, so that
 * `getpwuid` knows the builder in every environment; one without the file keeps it only where `/etc` is its own directory.
 */
export async function coverAccountFiles(
  fs: FileSystemShape,
  environment: string,
  directory: string,
): Promise<Mount[]> {
  const hasEtc = await isDirectory(fs, posix.join(environment, "etc"));
  await fs.promises.mkdir(directory);
  const mounts = await Promise.all(
    Object.entries(accountFiles).map(async ([name, content]): Promise<Mount | undefined> => {
      // A mount point can be made in an /etc of our own, not in the read-only one of an environment.
      if (hasEtc && !(await isFile(fs, posix.join(environment, "etc", name)))) return undefined;
      const physical = posix.join(directory, name);
      await fs.promises.writeFile(physical, content, { mode: 0o444 });
      return { logical: `/etc/${name}`, physical };
    }),
  );
  return mounts.filter((mount) => mount !== undefined);
}

const isDirectory = async (fs: FileSystemShape, path: string): Promise<boolean> =>
  fs.promises.lstat(path).then((status) => status.isDirectory(), () => false);

const isFile = async (fs: FileSystemShape, path: string): Promise<boolean> =>
  fs.promises.lstat(path).then((status) => status.isFile(), () => false);
