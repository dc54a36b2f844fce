import { errorCode } from "#lib/platform/file-errors.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { ignoreRules } from "./ignore.ts";
import { type BytePath, bytePath, hostPath } from "./tree-files.ts";

/** Where an ignore file lies ("" or "a/b/") and what it says about paths below. */
interface Scope {
  readonly prefix: BytePath;
  readonly judge: ReturnType<typeof ignoreRules>;
}

/**
 * The files and links of a directory without what its `.gitignore` files leave out, and without `.git`: relative
 * paths in byte order. A source of these changes with the project's own files and with nothing that lies about there,
 * such as what a build by hand has left.
 *
 * An ignored directory is not entered, so nothing in it can be kept: that is git's rule too, as is that names are
 * matched byte by byte.
 *
 * @throws what the file system calls throw
 */
export async function fileSet(fs: FileSystemShape, root: string): Promise<readonly BytePath[]> {
  const top = bytePath(root);
  const found: BytePath[] = [];
  const pending: { readonly prefix: BytePath; readonly scopes: readonly Scope[] }[] = [{ prefix: "", scopes: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { prefix } = next;
    const directory = hostPath(`${top}/${prefix}`);
    const text = await readIfThere(fs, hostPath(`${top}/${prefix}.gitignore`));
    const scopes = text === undefined ? next.scopes : [...next.scopes, { prefix, judge: ignoreRules(text) }];
    for (const entry of await fs.promises.readdir(directory, { withFileTypes: true, encoding: "latin1" })) {
      const path = `${prefix}${entry.name}`;
      const isDirectory = entry.isDirectory();
      if (entry.name === ".git" || isIgnored(path, isDirectory, scopes)) continue;
      if (isDirectory) pending.push({ prefix: `${path}/`, scopes });
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
    }
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The innermost file that says anything decides. */
function isIgnored(path: BytePath, directory: boolean, scopes: readonly Scope[]): boolean {
  for (const { prefix, judge } of scopes.toReversed()) {
    const verdict = judge(path.slice(prefix.length), directory);
    if (verdict !== undefined) return verdict === "ignored";
  }
  return false;
}

async function readIfThere(fs: FileSystemShape, path: string | Buffer): Promise<string | undefined> {
  try {
    return await fs.promises.readFile(path, "latin1");
  } catch (cause) {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "EISDIR") return undefined;
    throw cause;
  }
}
