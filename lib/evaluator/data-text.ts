/** Text of TOML and JSON files: what it holds, and where in it a key stands. */
import { createRequire } from "node:module";
import type { KeyPositions, Position, TextProblem } from "./data-places.ts";
import { EvaluationError } from "./errors.ts";
import { readJson } from "./json-text.ts";
import { isRecord } from "./records.ts";
import { keysOfToml, problemOfToml } from "./toml-text.ts";

// Loaded only when there is TOML to read.
const require = createRequire(import.meta.url);

/**
 * The table that a file's text holds.
 * @throws EvaluationError `bad-data` with line and column, when it does not parse, defines a key twice or holds no table.
 */
export function parseData(file: string, text: string): Record<string, unknown> {
  const data = file.endsWith(".toml") ? parseToml(file, text) : parseJson(file, text);
  if (isRecord(data)) return data;
  throw refused(file, [{ path: [], problem: "the file does not hold a table of definitions" }]);
}

function parseToml(file: string, text: string): unknown {
  try {
    return plainData((require("@iarna/toml") as { parse(source: string): unknown }).parse(text));
  } catch (error) {
    // Of the stack, which is all that a parser asks for in vain.
    if (error instanceof RangeError) throw refused(file, [{ path: [], problem: "it is nested too deep to be read" }]);
    const failure = error instanceof Error ? error : new Error(String(error));
    throw refused(file, [problemOfToml(text, failure) ?? { path: [], problem: failure.message }]);
  }
}

function parseJson(file: string, text: string): unknown {
  const { fault, repeated } = readJson(text);
  if (fault !== undefined) throw refused(file, [fault]);
  if (repeated.length > 0) throw refused(file, repeated);
  return JSON.parse(text);
}

function refused(
  file: string,
  problems: readonly (Omit<TextProblem, "position"> & Partial<TextProblem>)[],
): EvaluationError {
  return new EvaluationError({
    reason: "bad-data",
    file,
    problems: problems.map(({ path, problem, position }) => ({ path, problem, suggestions: [], ...position })),
  });
}

/** Tells where keys stand in a file's text: the key at a path, or the closest one above it. Nothing is read before it is asked. */
export function keyFinder(file: string, text: string): (path: readonly string[]) => Position | undefined {
  let keys: KeyPositions | undefined;
  return (path) => (keys ??= file.endsWith(".toml") ? keysOfToml(text) : readJson(text).keys).find(path);
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
