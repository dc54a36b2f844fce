import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";

/**
 * The least that Node takes to hash a tree of small files: the system calls that a NAR cannot do without (the kind, the
 * mode and the size of each file, and its bytes), and SHA-256 over them; no archive, no order, no check.
 */
export function readAndHash(root: string): string {
  const buffer = Buffer.allocUnsafe(512 * 1024);
  const hash = createHash("sha256");
  let used = 0;
  for (const directory of readdirSync(root)) {
    for (const entry of readdirSync(`${root}/${directory}`, { withFileTypes: true })) {
      const file = openSync(`${root}/${directory}/${entry.name}`, constants.O_RDONLY | constants.O_NOFOLLOW);
      const { size } = fstatSync(file);
      if (used + size > buffer.length) {
        hash.update(buffer.subarray(0, used));
        used = 0;
      }
      used += readSync(file, buffer, used, size, null);
      closeSync(file);
    }
  }
  return hash.update(buffer.subarray(0, used)).digest("hex");
}
