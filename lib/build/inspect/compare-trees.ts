import { posix } from "node:path";
import type { FileSystemShape } from "#lib/platform/file-system.ts";

/** One place where two trees differ. */
export interface TreeDifference {
  /** Relative to both trees; "" for the trees themselves. */
  readonly file: string;
  readonly kind: "added" | "removed" | "type" | "content" | "executable" | "target";
  /** For content: the first byte that differs. */
  readonly offset?: number;
}

/** How many differences are looked for; two unrelated trees differ everywhere. */
const mostDifferences = 1000;

/**
 * Where two store objects differ in what a NAR holds of them: names, types, contents, links and executability.
 * Sorted by file name; stops after 1000 differences.
 */
export async function compareTrees(fs: FileSystemShape, left: string, right: string): Promise<TreeDifference[]> {
  const differences: TreeDifference[] = [];
  const next = [""];
  for (let file = next.pop(); file !== undefined && differences.length < mostDifferences; file = next.pop()) {
    const [leftPath, rightPath] = [posix.join(left, file), posix.join(right, file)];
    const [leftEntry, rightEntry] = await Promise.all([describe(fs, leftPath), describe(fs, rightPath)]);
    if (leftEntry.type !== rightEntry.type) differences.push({ file, kind: "type" });
    else if (leftEntry.type === "directory" && rightEntry.type === "directory") {
      const [leftNames, rightNames] = [new Set(leftEntry.names), new Set(rightEntry.names)];
      const both = [...leftNames].filter((name) => rightNames.has(name)).sort();
      for (const name of leftNames)
        if (!rightNames.has(name)) differences.push({ file: posix.join(file, name), kind: "removed" });
      for (const name of rightNames)
        if (!leftNames.has(name)) differences.push({ file: posix.join(file, name), kind: "added" });
      for (const name of both.reverse()) next.push(posix.join(file, name));
    } else if (leftEntry.type === "symlink" && rightEntry.type === "symlink") {
      if (leftEntry.target !== rightEntry.target) differences.push({ file, kind: "target" });
    } else if (leftEntry.type === "file" && rightEntry.type === "file") {
      if (leftEntry.executable !== rightEntry.executable) differences.push({ file, kind: "executable" });
      const offset = await firstDifference(fs, leftPath, rightPath);
      if (offset !== undefined) differences.push({ file, kind: "content", offset });
    }
  }
  return differences.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
}

type Description =
  | { readonly type: "directory"; readonly names: readonly string[] }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "file"; readonly executable: boolean }
  | { readonly type: "other" };

async function describe(fs: FileSystemShape, path: string): Promise<Description> {
  const status = await fs.promises.lstat(path);
  if (status.isDirectory()) return { type: "directory", names: (await fs.promises.readdir(path)).map(String) };
  if (status.isSymbolicLink()) return { type: "symlink", target: String(await fs.promises.readlink(path)) };
  return status.isFile() ? { type: "file", executable: (status.mode & 0o100) !== 0 } : { type: "other" };
}

const chunkSize = 256 * 1024;

/** The first byte in which two files differ; undefined if they are equal. */
async function firstDifference(fs: FileSystemShape, left: string, right: string): Promise<number | undefined> {
  const leftFile = await fs.promises.open(left, "r");
  try {
    const rightFile = await fs.promises.open(right, "r");
    try {
      const [leftBuffer, rightBuffer] = [Buffer.alloc(chunkSize), Buffer.alloc(chunkSize)];
      for (let position = 0; ; ) {
        const [leftRead, rightRead] = await Promise.all([
          leftFile.read(leftBuffer, 0, chunkSize, position),
          rightFile.read(rightBuffer, 0, chunkSize, position),
        ]);
        const length = Math.min(leftRead.bytesRead, rightRead.bytesRead);
        if (!leftBuffer.subarray(0, length).equals(rightBuffer.subarray(0, length))) {
          let index = 0;
          while (leftBuffer[index] === rightBuffer[index]) index++;
          return position + index;
        }
        if (leftRead.bytesRead !== rightRead.bytesRead) return position + length;
        if (length === 0) return undefined;
        position += length;
      }
    } finally {
      await rightFile.close();
    }
  } finally {
    await leftFile.close();
  }
}
