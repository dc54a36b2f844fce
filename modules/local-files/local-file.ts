/** Reading the local files that options name, and what they are. */
import { readFileSync, statSync, type Stats } from "node:fs";

/** What people write is text; what is larger than this is something else. */
const mostBytes = 4 * 1024 * 1024;

/**
 * The content of a regular file.
 * @throws Error with a message for people: `unreadable` makes it.
 */
export function readContent(file: string): Buffer {
  let stats;
  try {
    stats = statSync(file);
    if (stats.isFile() && stats.size <= mostBytes) return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  // A device or a pipe may never end.
  if (!stats.isFile()) throw unreadable(file, stats.isDirectory() ? "it is a directory" : "it is no regular file");
  throw unreadable(file, `it has ${stats.size} bytes, and a file like this at most ${mostBytes}`);
}

/** The text of a regular file; throws as `readContent` does. */
export function readText(file: string): string {
  return readContent(file).toString("utf8");
}

/** The mode of a staged file that has none of its own: executable if the local file is. */
export function modeOf(file: string): string {
  return (statSync(file).mode & 0o111) === 0 ? "0644" : "0755";
}

/** What a local path leads to, or what is wrong with it. `root` is where relative ones start. */
export function lookAt(path: string, root: string | null): { readonly stats: Stats } | { readonly problem: string } {
  try {
    return { stats: statSync(path) };
  } catch (error) {
    const start = root === null ? "is not set" : `is ${root}`;
    return {
      problem: `${unreadable(path, error).message}. Relative paths start at workspace.root_dir, which ${start}`,
    };
  }
}

/** Says why a file cannot be read. */
export function unreadable(file: string, why: unknown): Error {
  return new Error(`cannot read ${file}: ${typeof why === "string" ? why : reason(why)}`);
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    ENOTDIR: "a part of its path is no directory",
    EISDIR: "it is a directory",
    EACCES: "this user may not",
    ELOOP: "its links lead in a circle",
  };
  return known[code] ?? String(error);
}
