import { posix } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { builderUser, type Entry, type RootEntry } from "./arguments.ts";

/** Top directories that the sandbox makes itself, whatever the environment holds there. */
const reserved: ReadonlySet<string> = new Set(["build", "dev", "home", "nix", "proc", "root", "run", "sys", "tmp"]);

/**
 * What the top directory of an environment adds to the sandbox's root: links as they are
 * (`bin` → `usr/bin`), directories and files as read-only mounts; sorted.
 */
export async function rootEntries(fs: FileSystemShape, environment: string): Promise<RootEntry[]> {
  // Through a link, a recipe could name this machine's own root.
  if (!(await fs.promises.lstat(environment)).isDirectory()) throw new Error(`${environment} is not a directory`);
  const names = (await fs.promises.readdir(environment)).map(String).filter((name) => !reserved.has(name));
  return Promise.all(
    names.sort().map(async (name): Promise<RootEntry> => {
      const found = await entryAt(fs, `/${name}`, posix.join(environment, name));
      return found.kind === "symlink" ? { kind: "symlink", name, target: found.target } : { kind: "mount", name };
    }),
  );
}

/** Shows a file, directory or link of this machine at a place in the sandbox. */
export async function entryAt(fs: FileSystemShape, logical: string, physical: string): Promise<Entry> {
  if (!(await fs.promises.lstat(physical)).isSymbolicLink()) return { kind: "mount", logical, physical };
  return { kind: "symlink", logical, target: String(await fs.promises.readlink(physical)) };
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
export async function coverAccountFiles(fs: FileSystemShape, environment: string, directory: string): Promise<Entry[]> {
  const hasEtc = await exists(fs, posix.join(environment, "etc"));
  await fs.promises.mkdir(directory);
  const entries = await Promise.all(
    Object.entries(accountFiles).map(async ([name, content]): Promise<Entry | undefined> => {
      // A mount point can be made in an /etc of our own, not in the read-only one of an environment.
      if (hasEtc && !(await isFile(fs, posix.join(environment, "etc", name)))) return undefined;
      const physical = posix.join(directory, name);
      await fs.promises.writeFile(physical, content, { mode: 0o444 });
      return { kind: "mount", logical: `/etc/${name}`, physical };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

const exists = async (fs: FileSystemShape, path: string): Promise<boolean> =>
  fs.promises.lstat(path).then(
    () => true,
    () => false,
  );

const isFile = async (fs: FileSystemShape, path: string): Promise<boolean> =>
  fs.promises.lstat(path).then(
    (status) => status.isFile(),
    () => false,
  );
