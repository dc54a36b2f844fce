import { isUtf8 } from "node:buffer";
import { LockFileMalformed } from "./errors.ts";
import { decodeLock } from "./lock-decode.ts";
import { JsonFault, positionAt } from "./lock-json.ts";
import type { Lock } from "./lock.ts";

/** Parses the bytes of a lock file. Throws LockFileMalformed. */
export function parseLock(file: string, bytes: Uint8Array): Lock {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  if (!isUtf8(bytes)) throw new LockFileMalformed({ file, ...invalidUtf8(bytes), why: "this is not UTF-8" });
  const conflict = /^<{7} /m.exec(text);
  if (conflict !== null) {
    throw new LockFileMalformed({
      file,
      ...positionAt(text, conflict.index),
      why: "a merge conflict stands here",
      remedy: "Take either side of the whole file and run 'update'.",
    });
  }
  try {
    return decodeLock(text);
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause;
    throw new LockFileMalformed({ file, ...positionAt(text, cause.offset), why: cause.message });
  }
}

function invalidUtf8(bytes: Uint8Array): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (
    let end = bytes.indexOf(0x0a);
    end !== -1 && isUtf8(bytes.subarray(start, end));
    end = bytes.indexOf(0x0a, start)
  ) {
    line += 1;
    start = end + 1;
  }
  return { line, column: 1 };
}
