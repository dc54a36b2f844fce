/** Bytes of data files as text. */
import { EvaluationError } from "./errors.ts";

/**
 * The text of a file in UTF-8, without a byte order mark. What is no UTF-8 is
 * refused: replaced, it would go into what is built without a word.
 * @throws EvaluationError `bad-data` at the first byte that belongs to no character.
 */
export function decodeUtf8(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const { line, column, byte } = firstFault(bytes);
    const problem = `this is not UTF-8 (byte 0x${byte.toString(16).padStart(2, "0")}); save the file as UTF-8`;
    throw new EvaluationError({
      reason: "bad-data",
      file,
      problems: [{ path: [], problem, suggestions: [], line, column }],
    });
  }
}

/** Where the first byte stands that belongs to no character. */
function firstFault(bytes: Uint8Array): { readonly line: number; readonly column: number; readonly byte: number } {
  // Written again, text with replacements differs from what it was read from within the first fault.
  const rewritten = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  const difference = bytes.findIndex((byte, index) => byte !== rewritten[index]);
  // A stream's decoder keeps back the character that it has only begun.
  const begun = difference === -1 ? bytes : bytes.subarray(0, difference);
  const before = new TextDecoder("utf-8", { ignoreBOM: true }).decode(begun, { stream: true });
  const lines = before.replace(/^\ufeff/, "").split("\n");
  return {
    line: lines.length,
    column: (lines.at(-1) ?? "").length + 1,
    byte: bytes[new TextEncoder().encode(before).length] ?? 0,
  };
}
