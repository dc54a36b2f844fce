import * as Effect from "effect/Effect";
import { InvalidAssertionError } from "../errors.ts";
import type { ExpectedText } from "../assertion-data.ts";

/** A compiled expectation about a text. */
export interface TextExpectation {
  readonly holds: (text: string) => boolean;
  /** What was expected, as a phrase. */
  readonly phrase: string;
}

/** Compiles an expectation; fails when its pattern is not a regular expression. */
export function textExpectation(
  description: string,
  expected: ExpectedText,
): Effect.Effect<TextExpectation, InvalidAssertionError> {
  if ("equals" in expected) {
    const wanted = withoutFinalLineEnds(expected.equals);
    return Effect.succeed({
      holds: (text) => withoutFinalLineEnds(text) === wanted,
      phrase: JSON.stringify(wanted),
    });
  }
  return Effect.map(pattern(description, expected.matches), (expression) => ({
    holds: (text) => expression.test(text),
    phrase: `something that matches /${expected.matches}/`,
  }));
}

/** Compiles a regular expression; "^" and "$" match at line ends. */
export function pattern(description: string, source: string): Effect.Effect<RegExp, InvalidAssertionError> {
  return Effect.try({
    try: () => new RegExp(source, "mu"),
    catch: (cause) =>
      new InvalidAssertionError({ description, problem: cause instanceof Error ? cause.message : String(cause) }),
  });
}

export const withoutFinalLineEnds = (text: string): string => text.replace(/\n+$/, "");
