import { basename, dirname, resolve } from "node:path";
import { encodeBase32 } from "#lib/derivations/base32.ts";
import { hashBytes, hashData } from "#lib/derivations/hash.ts";
import { enclosingStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { removeIfThere, uniqueName } from "./atomic-file.ts";
import { RootLinkError } from "./errors.ts";
import { type Layout, physicalPath } from "./layout.ts";
import { isRunning, parseIdentity } from "./process-identity.ts";

/** A link outside of the store that keeps a path alive. */
export interface Root {
  readonly link: string;
  readonly target: StorePath;
}

/**
 * Makes `link` point to a store path and registers it, so that the path lives
 * as long as the link does. A link of an earlier build is replaced in one step.
 *
 * The entry comes first, so that there is no moment at which a kill leaves a link that garbage collection does not
 * know. Until the link is there, the entry has a name that tells whose it is: collection would forget it otherwise.
 */
export async function addRoot(fs: FileSystemShape, layout: Layout, link: string, target: StorePath): Promise<void> {
  const place = resolve(link);
  await checkPlace(fs, place);
  const entry = `${layout.roots}/${rootName(place)}`;
  const pending = `${entry}.${await uniqueName()}`;
  await fs.promises.symlink(place, pending);
  try {
    await replaceLink(fs, physicalPath(layout, target), place);
  } catch (cause) {
    await removeIfThere(fs, pending);
    throw cause;
  }
  await fs.promises.rename(pending, entry);
}

function rootName(link: string): string {
  return encodeBase32(hashBytes(hashData("sha1", link)));
}

/** Only what an earlier build made may be replaced. */
async function checkPlace(fs: FileSystemShape, place: string): Promise<void> {
  try {
    const stats = await fs.promises.lstat(place);
    const found = stats.isDirectory() ? "a directory" : "a file";
    if (!stats.isSymbolicLink())
      throw new RootLinkError({ link: place, problem: `${found} is there, which stays as it is` });
    const old = await fs.promises.readlink(place);
    if (!old.includes(`${storeDirectory}/`))
      throw new RootLinkError({ link: place, problem: `a link to '${old}' is there, which stays as it is` });
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
  }
}

async function replaceLink(fs: FileSystemShape, target: string, link: string): Promise<void> {
  const draft = `${dirname(link)}/.${await uniqueName()}`;
  try {
    await fs.promises.symlink(target, draft);
    await fs.promises.rename(draft, link);
  } catch (cause) {
    await removeIfThere(fs, draft).catch(() => {});
    const problem = placeProblems[errorCode(cause) ?? ""];
    throw problem === undefined ? cause : new RootLinkError({ link, problem });
  }
}

/** Of a failed link, the system names what it would have pointed to. */
const placeProblems: Readonly<Record<string, string>> = {
  ENOENT: "there is no such directory",
  ENOTDIR: "a part of its path is not a directory",
  EACCES: "its directory cannot be written to",
  EPERM: "its directory cannot be written to",
  EROFS: "its file system is read-only",
};

/** The roots whose links exist and point into this store; `forget` also removes the entries of the others. */
export async function listRoots(fs: FileSystemShape, layout: Layout, forget: boolean): Promise<Root[]> {
  const roots = new Map<string, Root>();
  const objects = await fs.promises.realpath(layout.objects);
  const read = async (entry: string): Promise<Root | undefined> => {
    const link = await readLink(fs, entry);
    const physical = link === undefined ? undefined : await readLink(fs, link);
    if (link === undefined || physical === undefined) return undefined;
    const target = await storePathOf(fs, layout, objects, resolve(dirname(link), physical));
    return target === undefined ? undefined : { link, target };
  };
  for (const name of (await fs.promises.readdir(layout.roots)).sort()) {
    const entry = `${layout.roots}/${name}`;
    const known = await read(entry);
    const root = forget ? await tidyEntry(fs, entry, known, read) : known;
    // Whoever is killed, or not done yet, has two entries for a link that was there before.
    if (root !== undefined) roots.set(root.link, root);
  }
  return [...roots.values()];
}

/**
 * Removes an entry whose link is gone, and gives the root if the link came back meanwhile. The name of an entry follows
 * from its link, so whoever makes the link again renames an equal entry to the same place: it has to be ours alone
 * before we look for the last time. The entry of a dead process whose link is there gets its proper name.
 */
async function tidyEntry(
  fs: FileSystemShape,
  entry: string,
  known: Root | undefined,
  read: (entry: string) => Promise<Root | undefined>,
): Promise<Root | undefined> {
  const [name = "", ...suffix] = basename(entry).split(".");
  if (known !== undefined && suffix.length === 0) return known;
  const owner = parseIdentity(suffix.join("."));
  if (owner !== undefined && (await isRunning(owner))) return known;
  const proper = `${dirname(entry)}/${name}`;
  const taken = `${proper}.${await uniqueName()}`;
  try {
    await fs.promises.rename(entry, taken);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return read(proper);
    throw cause;
  }
  const root = await read(taken);
  if (root === undefined) await removeIfThere(fs, taken);
  else await fs.promises.rename(taken, proper);
  return root;
}

/**
 * The store path that a physical path is or lies below. Also if it was written by somebody who has the store under
 * another name, such as that of a link to the home directory.
 */
async function storePathOf(
  fs: FileSystemShape,
  layout: Layout,
  objects: string,
  physical: string,
): Promise<StorePath | undefined> {
  const start = physical.startsWith(`${layout.objects}/`) ? layout.objects.length : startOfName(physical);
  if (start === undefined) return undefined;
  try {
    const path = enclosingStorePath(storeDirectory + physical.slice(start));
    const directory = physical.slice(0, start);
    return directory === layout.objects || (await fs.promises.realpath(directory)) === objects ? path : undefined;
  } catch (cause) {
    // A place that cannot be looked at may be this store: its root must not be lost.
    if (errorCode(cause) === "EACCES") throw cause;
    return undefined;
  }
}

/** Where the part of a physical path begins that follows the store directory's name. */
function startOfName(physical: string): number | undefined {
  const start = physical.lastIndexOf(`${storeDirectory}/`);
  return start < 0 ? undefined : start + storeDirectory.length;
}

/** Where a link points to; undefined if there is none. A place that cannot be read is an error: its root must not be lost. */
async function readLink(fs: FileSystemShape, path: string): Promise<string | undefined> {
  try {
    return await fs.promises.readlink(path);
  } catch (cause) {
    if (["ENOENT", "EINVAL", "ENOTDIR"].includes(errorCode(cause) ?? "")) return undefined;
    throw cause;
  }
}
