import { posix } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { type TreeFiles, treeFiles } from "#lib/store/tree-files.ts";
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
  const files = treeFiles(fs);
  return names.sort().map((name): RootEntry => {
    const found = entryAt(files, `/${name}`, posix.join(environment, name));
    return found.kind === "symlink" ? { kind: "symlink", name, target: found.target } : { kind: "mount", name };
  });
}

/** Shows a file, directory or link of this machine at a place in the sandbox. */
export function entryAt(fs: TreeFiles, logical: string, physical: string): Entry {
  if (!fs.lstatSync(physical).isSymbolicLink()) return { kind: "mount", logical, physical };
  return { kind: "symlink", logical, target: fs.readlinkSync(physical, "utf8") };
}

/** The user, the group and the only host that exist in the sandbox. */
const accountFiles = {
  passwd:
    "root:x:0:0:root:/root:/usr/sbin/nologin\n" +
    `${builderUser.name}:x:${builderUser.uid}:${builderUser.gid}:builder:/build:/bin/sh\n` +
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  group: `root:x:0:\n${builderUser.group}:x:${builderUser.gid}:\nnogroup:x:65534:\n`,
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
} as const;
type AccountFile = keyof typeof accountFiles;

/** An environment as sandboxes are made of it. Nothing in it changes, so it is read once for all builds. */
export interface ToolRoot {
  /** Its physical path. */
  readonly path: string;
  readonly entries: readonly RootEntry[];
  /** The account files that the sandbox's own have to cover. */
  readonly accountFiles: readonly AccountFile[];
}

/** Looks at what the sandbox takes of an environment: a directory, not a link to one. */
export async function readToolRoot(fs: FileSystemShape, path: string): Promise<ToolRoot> {
  const entries = await rootEntries(fs, path);
  const hasEtc = entries.some(({ name }) => name === "etc");
  const covered: AccountFile[] = [];
  for (const name of ["passwd", "group", "hosts"] as const) {
    // A mount point can be made in an /etc of our own, not in the read-only one of an environment.
    if (!hasEtc || (await isFile(fs, posix.join(path, "etc", name)))) covered.push(name);
  }
  return { path, entries, accountFiles: covered };
}

/**
 * Writes the account files into `directory` and says where they go. They cover the environment's own, so that
 * `getpwuid` knows the builder in every environment; one without the file keeps it only where `/etc` is its own directory.
 */
export function coverAccountFiles(fs: TreeFiles, names: ToolRoot["accountFiles"], directory: string): Entry[] {
  fs.mkdirSync(directory);
  return names.map((name) => {
    const physical = posix.join(directory, name);
    fs.writeFileSync(physical, accountFiles[name], { mode: 0o444 });
    return { kind: "mount", logical: `/etc/${name}`, physical };
  });
}

const isFile = async (fs: FileSystemShape, path: string): Promise<boolean> =>
  fs.promises.lstat(path).then(
    (status) => status.isFile(),
    () => false,
  );
