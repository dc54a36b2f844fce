import * as Effect from "effect/Effect";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import type { SerialExcerpt } from "./errors.ts";

/** At most this many bytes of a log are read for an excerpt. */
const excerptBytes = 32 * 1024;

/** Lines of an excerpt. */
const excerptLines = 25;

/** Reads the end of a serial log; a log that is missing or unreadable gives no lines, since this explains another failure. */
export function serialExcerpt(fileSystem: FileSystemShape, path: string): Effect.Effect<SerialExcerpt> {
  return Effect.promise(() =>
    readTail(fileSystem, path).then(
      (text) => ({ path, lines: lastPrintableLines(text, excerptLines) }),
      () => ({ path, lines: [] }),
    ),
  );
}

async function readTail(fileSystem: FileSystemShape, path: string): Promise<string> {
  const file = await fileSystem.promises.open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(Number(size), excerptBytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, Number(size) - length);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The last non-empty lines of `text`, without what could move a terminal's cursor or change its colours. */
export function lastPrintableLines(text: string, count: number): string[] {
  return printable(text)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}

/** Removes escape sequences and control characters other than line ends and tabs; a guest must not drive the user's terminal. */
export function printable(text: string): string {
  return (
    text
      // CSI sequences, OSC strings, and other two-character escapes.
      // oxlint-disable-next-line no-control-regex
      .replace(/\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g, "")
      .replace(/\r\n?/g, "\n")
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "")
  );
}
