import type { Writable } from "node:stream";
import type { ByteSource } from "#lib/archives/byte-source.ts";
import { checkLinkTarget, EntryGuard, normaliseEntryPath } from "#lib/archives/entry-path.ts";
import type { EntryType, LinkRule } from "#lib/archives/entry-path.ts";
import { MalformedArchive, UnsafeEntry, UnsupportedArchive } from "#lib/archives/errors.ts";
import { smallFile } from "#lib/archives/tree-writer.ts";
import type { TreeWriter } from "#lib/archives/tree-writer.ts";

/** One line of `git ls-tree -r -l -z`. */
export interface GitEntry {
  /** Normalised. */
  readonly path: string;
  readonly type: EntryType & ("file" | "symlink" | "directory");
  readonly executable: boolean;
  readonly object: string;
  readonly size: number;
}

/** Parses the listing of a tree. git forbids most hostile names itself, but only when it checks out. */
export function parseTree(repository: string, listing: string): readonly GitEntry[] {
  const guard = new EntryGuard(repository);
  return listing.split("\0").flatMap((line): GitEntry[] => {
    if (line === "") return [];
    const match = /^([0-7]{6}) (?:blob|commit) ([0-9a-f]+) +([0-9]+|-)\t([^]*)$/.exec(line);
    if (match === null) throw new UnsupportedArchive({ archive: repository, feature: `the tree entry '${line}'` });
    const [, mode = "", object = "", size = "", name = ""] = match;
    const type = types.get(mode);
    if (type === undefined)
      throw new UnsupportedArchive({ archive: repository, feature: `file mode ${mode} ('${name}')` });
    // git's listing is decoded as UTF-8; what is not that shows as the replacement character.
    if (name.includes("\ufffd"))
      throw new UnsafeEntry({ archive: repository, entry: name, reason: "the name is not valid UTF-8" });
    const path = normaliseEntryPath(repository, name);
    if (/(?:^|\/)\.git(?:\/|$)/i.test(path))
      throw new UnsafeEntry({ archive: repository, entry: name, reason: "a file within .git" });
    guard.admit(path, type);
    return [{ path, type, executable: mode === "100755", object, size: size === "-" ? 0 : Number(size) }];
  });
}

/** A submodule is a commit of another repository; a plain checkout leaves an empty directory. */
const types: ReadonlyMap<string, GitEntry["type"]> = new Map([
  ["100644", "file"],
  ["100664", "file"],
  ["100755", "file"],
  ["120000", "symlink"],
  ["160000", "directory"],
]);

/** Asks `git cat-file --batch --buffer` for all blobs, in one go, and writes them as they come. */
export async function writeBlobs(
  repository: string,
  tree: readonly GitEntry[],
  git: { readonly stdin: Writable; readonly source: ByteSource },
  writer: TreeWriter,
  links: LinkRule,
): Promise<void> {
  await writer.directory("");
  for (const { path, type } of tree) if (type === "directory") await writer.directory(path);
  const blobs = tree.filter(({ type }) => type !== "directory");
  // Asked when the answer is read at once: what a process has printed and nobody waits for is lost when it ends.
  git.stdin.end(blobs.map(({ object }) => `${object}\n`).join(""));
  for (const entry of blobs) {
    const header = `${entry.object} blob ${entry.size}\n`;
    const answer = await git.source.read(header.length);
    if (answer.toString("latin1") !== header) throw damaged(repository, git.source, `no content of '${entry.path}'`);
    let remaining = entry.size;
    const next = async (): Promise<Buffer> => {
      const part = remaining === 0 ? Buffer.alloc(0) : await git.source.chunk(remaining);
      if (part.length === 0 && remaining > 0) throw damaged(repository, git.source, `'${entry.path}' is cut off`);
      remaining -= part.length;
      return part;
    };
    if (entry.size > smallFile && entry.type === "file") await writer.stream(entry.path, next, entry.executable);
    else {
      const bytes = Buffer.from(await git.source.read(entry.size));
      if (bytes.length < entry.size) throw damaged(repository, git.source, `'${entry.path}' is cut off`);
      await writeSmall(repository, entry, bytes, writer, links);
    }
    // A line feed follows each object.
    await git.source.skip(1);
  }
  await writer.end();
}

async function writeSmall(
  repository: string,
  entry: GitEntry,
  bytes: Buffer,
  writer: TreeWriter,
  links: LinkRule,
): Promise<void> {
  if (entry.type === "file") return writer.file(entry.path, bytes, entry.executable);
  const target = bytes.toString("utf8");
  checkLinkTarget(repository, entry.path, target, links);
  return writer.symlink(entry.path, target);
}

function damaged(archive: string, source: ByteSource, reason: string): MalformedArchive {
  return new MalformedArchive({ archive, format: "git", offset: source.position, reason });
}
