/** Text of TOML and JSON files: what it holds, and where in it a key stands. */
import { createRequire } from "node:module";
import { type KeyPositions, keysOfJson, keysOfToml, type Position } from "./data-places.ts";
import { EvaluationError } from "./errors.ts";
import { isRecord } from "./records.ts";

// Loaded only when there is TOML to read.
const require = createRequire(import.meta.url);

/**
 * The table that a file's text holds.
 * @throws EvaluationError `bad-data` with line and column, when it does not parse or holds no table.
 */
export function parseData(file: string, text: string): Record<string, unknown> {
  let data: unknown;
  try {
    data = file.endsWith(".toml")
      ? plainData((require("@iarna/toml") as { parse(source: string): unknown }).parse(text))
      : (JSON.parse(text) as unknown);
  } catch (error) {
    const { line, col } = error as { readonly line?: number; readonly col?: number };
    throw new EvaluationError({
      reason: "bad-data",
      file,
      problems: [
        {
          path: [],
          problem: problemOf(error),
          suggestions: [],
          ...(line === undefined ? {} : { line: line + 1, column: (col ?? 0) + 1 }),
        },
      ],
    });
  }
  if (isRecord(data)) return data;
  throw new EvaluationError({
    reason: "bad-data",
    file,
    problems: [{ path: [], problem: "the file does not hold a table of definitions", suggestions: [] }],
  });
}

function problemOf(error: unknown): string {
  // Of the stack, which is all that a parser asks for in vain.
  if (error instanceof RangeError) return "it is nested too deep to be read";
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}

/** Tells where keys stand in a file's text: the key at a path, or the closest one above it. Nothing is read before it is asked. */
export function keyFinder(file: string, text: string): (path: readonly string[]) => Position | undefined {
  let keys: KeyPositions | undefined;
  return (path) => (keys ??= file.endsWith(".toml") ? keysOfToml(text) : keysOfJson(text)).find(path);
}

/** TOML's dates become strings and its large integers numbers, so both formats carry the same data. */
function plainData(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainData);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      // The parser takes a table with the name of a method that every object has for the method.
      if (typeof each === "function") throw new TypeError(`a table cannot have the name '${key}'`);
      return [key, plainData(each)];
    }),
  );
}
