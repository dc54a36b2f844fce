import { stripVTControlCharacters } from "node:util";

/** A line of a program's output as it can be shown: without what moves a terminal's cursor, changes colours or rings. */
export function plainLine(text: string): string {
  // A progress bar overwrites its row; its last state counts.
  const last = stripVTControlCharacters(text.trimEnd().split("\r").at(-1) ?? "");
  return last.replace(/\t/g, " ").replace(/\p{Cc}/gu, "");
}

/** The same of every line of a text. */
export const plainText = (text: string): string => text.split("\n").map(plainLine).join("\n");
