import { dirname } from "node:path";
import { errorCode } from "./file-errors.ts";
import type { FileSystemShape } from "./file-system.ts";

/**
 * Makes a directory, and those above it that are missing. Node's own recursive call never ends below a directory in
 * which nothing can be made although it may be written to, such as `/proc`.
 */
export async function makeDirectory(fs: FileSystemShape, directory: string): Promise<void> {
  const parent = dirname(directory);
  const make = () => fs.promises.mkdir(directory);
  try {
    await make();
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") return;
    if (errorCode(cause) !== "ENOENT" || parent === directory) throw cause;
    await makeDirectory(fs, parent);
    await make().catch((again: unknown) => {
      // Another process may have been as quick.
      if (errorCode(again) !== "EEXIST") throw again;
    });
  }
}
