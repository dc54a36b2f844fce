import * as Effect from "effect/Effect";
import { errorCode, FileSystem } from "#lib/platform/file-system.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { FetchFileError } from "./errors.ts";
import { ignoreRules } from "./ignore.ts";

export interface FileSetOptions {
  /** The directory. */
  readonly root: string;
  /** Further patterns in the form of an ignore file's lines; they come last and so decide. */
  readonly ignore?: readonly string[];
  /** Names of ignore files to obey wherever they lie. Default `.gitignore`. */
  readonly ignoreFiles?: readonly string[];
}

/**
 * The files and links of a directory without what its ignore files leave out:
 * relative paths, sorted by code unit. `.git` is always left out. As the
 * `include` of a source it makes a store path that changes with the project's
 * own files and with nothing that lies about there.
 *
 * An ignored directory is not entered, so nothing in it can be kept: that is
 * git's rule too.
 */
export const fileSet = (options: FileSetOptions): Effect.Effect<readonly string[], FetchFileError, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) =>
    Effect.tryPromise({
      try: () => collect(fs, options),
      catch: (cause) => new FetchFileError({ path: options.root, cause }),
    }),
  );

/** Where an ignore file lies ("" or "a/b/") and what it says about paths below. */
interface Scope {
  readonly prefix: string;
  readonly judge: ReturnType<typeof ignoreRules>;
}

async function collect(fs: FileSystemShape, options: FileSetOptions): Promise<readonly string[]> {
  const { root, ignore = [], ignoreFiles = [".gitignore"] } = options;
  const own: Scope = { prefix: "", judge: ignoreRules(ignore.join("\n")) };
  const found: string[] = [];
  const pending: { readonly prefix: string; readonly scopes: readonly Scope[] }[] = [{ prefix: "", scopes: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { prefix } = next;
    const scopes = [...next.scopes];
    for (const name of ignoreFiles) {
      const text = await readIfThere(fs, `${root}/${prefix}${name}`);
      if (text !== undefined) scopes.push({ prefix, judge: ignoreRules(text) });
    }
    for (const entry of await fs.promises.readdir(`${root}/${prefix}`, { withFileTypes: true })) {
      const path = `${prefix}${String(entry.name)}`;
      const directory = entry.isDirectory();
      if (entry.name === ".git" || isIgnored(path, directory, [...scopes, own])) continue;
      if (directory) pending.push({ prefix: `${path}/`, scopes });
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
    }
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The innermost file that says anything decides. */
function isIgnored(path: string, directory: boolean, scopes: readonly Scope[]): boolean {
  for (const { prefix, judge } of scopes.toReversed()) {
    const verdict = judge(path.slice(prefix.length), directory);
    if (verdict !== undefined) return verdict === "ignored";
  }
  return false;
}

async function readIfThere(fs: FileSystemShape, path: string): Promise<string | undefined> {
  try {
    return await fs.promises.readFile(path, "utf8");
  } catch (cause) {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "EISDIR") return undefined;
    throw cause;
  }
}
