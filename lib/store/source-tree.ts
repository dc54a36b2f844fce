import type { Source } from "#lib/derivations/source.ts";
import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { MissingIncludeError } from "./errors.ts";
import { fileSet } from "./file-set.ts";
import type { Selection } from "./nar-writer.ts";
import { type BytePath, bytePath } from "./tree-files.ts";

/**
 * What of a source's tree goes to the store.
 *
 * @throws MissingIncludeError
 */
export async function selectionOf(fs: FileSystemShape, source: Source): Promise<Selection> {
  for (const entry of source.include ?? []) await checkEntry(fs, source, entry);
  const included = source.include?.map(bytePath);
  const own = source.gitignore ? await ownFiles(fs, source.path) : undefined;
  const entries = own?.filter((path) => included?.some((entry) => isBelow(path, entry)) ?? true) ?? included;
  if (entries === undefined) return "all";
  const root: Map<BytePath, Selection> = new Map();
  for (const entry of entries) select(root, entry.split("/"));
  return root;
}

const isBelow = (path: BytePath, entry: BytePath): boolean => path === entry || path.startsWith(`${entry}/`);

/** What no ignore file leaves out; undefined for a file, which is all of itself. */
async function ownFiles(fs: FileSystemShape, path: string): Promise<readonly BytePath[] | undefined> {
  return (await fs.promises.lstat(path)).isDirectory() ? fileSet(fs, path) : undefined;
}

function select(root: Map<BytePath, Selection>, names: readonly BytePath[]): void {
  let level = root;
  for (const [index, name] of names.entries()) {
    const below = level.get(name);
    // An entry above this one takes everything already.
    if (below === "all") return;
    if (index === names.length - 1) {
      level.set(name, "all");
      return;
    }
    // A level that is not "all" was made here.
    const next = (below as Map<BytePath, Selection> | undefined) ?? new Map<BytePath, Selection>();
    level.set(name, next);
    level = next;
  }
}

async function checkEntry(fs: FileSystemShape, source: Source, entry: string): Promise<void> {
  try {
    await fs.promises.lstat(`${source.path}/${entry}`);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT" && errorCode(cause) !== "ENOTDIR") throw cause;
    throw new MissingIncludeError({ source: source.path, entry });
  }
}
