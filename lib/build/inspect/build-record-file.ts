import { posix } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { encodeBase32 } from "#lib/derivations/base32.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { hashBytes, hashData } from "#lib/derivations/hash.ts";
import type { Instantiation } from "#lib/derivations/instantiate.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { modificationTime, removeIfThere, writeAtomically } from "#lib/store/atomic-file.ts";
import type { Layout } from "#lib/store/layout.ts";

/*
 * Plain asynchronous code, as a build that finds everything built is recorded too, and loads no fibers.
 */

/** Records of one name that are kept; that of the origin that was built longest ago goes first. */
const mostRecords = 8;

const suffix = ".json.gz";

/**
 * One compressed file for each name of a root and each origin: two trees may well give their images the same name. It
 * only serves to explain later what changed; nothing is decided by it, so it may be deleted at any time.
 */
export const recordName = (name: string, origin: string | undefined): string =>
  origin === undefined ? `${name}${suffix}` : `${encodeBase32(hashBytes(hashData("sha1", origin)))}-${name}${suffix}`;

/** Remembers what a successful build of `root` consisted of, and when it was. */
export async function recordBuild(
  fs: FileSystemShape,
  layout: Pick<Layout, "builds" | "temporary">,
  instantiation: Instantiation,
  root: Derivation,
  origin: string | undefined,
): Promise<void> {
  const top = instantiation.derivations.get(root);
  if (top === undefined) return;
  const file = posix.join(layout.builds, recordName(root.name, origin));
  const start = `{"root":${JSON.stringify(top.path)},`;
  const now = new Date();
  if (await startsWith(fs, file, start)) return fs.promises.utimes(file, now, now);
  const texts: Record<string, string> = {};
  const next = [top.path];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const derivation = instantiation.byPath.get(path);
    if (derivation === undefined || texts[path] !== undefined) continue;
    texts[path] = derivation.text;
    next.push(...derivation.store.inputDerivations.keys());
  }
  const content = await promisify(gzip)(JSON.stringify({ root: top.path, origin, derivations: texts }));
  await fs.promises.mkdir(layout.builds, { recursive: true });
  await writeAtomically(fs, layout.temporary, file, content);
  const recorded = await recordsOf(fs, layout.builds, root.name);
  for (const old of recorded.slice(mostRecords)) await removeIfThere(fs, old);
}

/** Whether a compressed text starts like this; a damaged one does not. */
async function startsWith(fs: FileSystemShape, file: string, start: string): Promise<boolean> {
  try {
    const content = await promisify(gunzip)(await fs.promises.readFile(file));
    return content.subarray(0, start.length).toString("latin1") === start;
  } catch {
    return false;
  }
}

/** The files of the records of a name, the last one first. */
export async function recordsOf(fs: FileSystemShape, directory: string, name: string): Promise<string[]> {
  const known = recordName(name, undefined);
  const hashLength = recordName(name, "").length - known.length;
  const names = (await namesIn(fs, directory)).filter(
    (entry) => entry === known || (entry.slice(hashLength) === known && /^[0-9a-z]+-/.test(entry)),
  );
  return names
    .map((entry) => `${directory}/${entry}`)
    .map((file) => ({ file, written: modificationTime(fs, file) ?? 0 }))
    .sort((left, right) => right.written - left.written || (left.file < right.file ? -1 : 1))
    .map(({ file }) => file);
}

const namesIn = (fs: FileSystemShape, directory: string): Promise<string[]> =>
  fs.promises.readdir(directory).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return [];
    throw cause;
  });
