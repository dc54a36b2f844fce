import { dirname, resolve } from "node:path";
import { encodeBase32 } from "#lib/derivations/base32.ts";
import { hashBytes, hashData } from "#lib/derivations/hash.ts";
import { enclosingStorePath, type StorePath, storeDirectory } from "#lib/derivations/store-path.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { removeIfThere, uniqueName } from "./atomic-file.ts";
import { RootLinkError } from "./errors.ts";
import { type Layout, physicalPath } from "./layout.ts";

/** A link outside of the store that keeps a path alive. */
export interface Root {
  readonly link: string;
  readonly target: StorePath;
}

/**
 * Makes `link` point to a store path and registers it, so that the path lives
 * as long as the link does. A link of an earlier build is replaced in one step.
 */
export async function addRoot(fs: FileSystemShape, layout: Layout, link: string, target: StorePath): Promise<void> {
  const place = resolve(link);
  await checkPlace(fs, place);
  await replaceLink(fs, physicalPath(layout, target), place, dirname(place));
  await replaceLink(fs, place, `${layout.roots}/${rootName(place)}`, layout.temporary);
}

function rootName(link: string): string {
  return encodeBase32(hashBytes(hashData("sha1", link)));
}

/** Only what an earlier build made may be replaced. */
async function checkPlace(fs: FileSystemShape, place: string): Promise<void> {
  try {
    const stats = await fs.promises.lstat(place);
    const found = stats.isDirectory() ? "a directory" : "a file";
    if (!stats.isSymbolicLink()) throw new RootLinkError({ link: place, found });
    const old = await fs.promises.readlink(place);
    if (!old.includes(`${storeDirectory}/`)) throw new RootLinkError({ link: place, found: `a link to '${old}'` });
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
  }
}

async function replaceLink(fs: FileSystemShape, target: string, link: string, temporary: string): Promise<void> {
  const draft = `${temporary}/.${await uniqueName()}`;
  try {
    await fs.promises.symlink(target, draft);
    await fs.promises.rename(draft, link);
  } catch (cause) {
    await removeIfThere(fs, draft);
    throw cause;
  }
}

/** The roots whose links still exist and point into this store; `forget` also removes the entries of the others. */
export async function listRoots(fs: FileSystemShape, layout: Layout, forget: boolean): Promise<Root[]> {
  const roots: Root[] = [];
  for (const name of (await fs.promises.readdir(layout.roots)).sort()) {
    const entry = `${layout.roots}/${name}`;
    const link = await readLink(fs, entry);
    const target = link === undefined ? undefined : storePathOf(layout, await readLink(fs, link));
    if (link !== undefined && target !== undefined) roots.push({ link, target });
    else if (forget) await removeIfThere(fs, entry);
  }
  return roots;
}

/** The store path that a physical path is or lies below. */
function storePathOf(layout: Layout, physical: string | undefined): StorePath | undefined {
  if (physical === undefined || !physical.startsWith(`${layout.objects}/`)) return undefined;
  try {
    return enclosingStorePath(storeDirectory + physical.slice(layout.objects.length));
  } catch {
    return undefined;
  }
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
