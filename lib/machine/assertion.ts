import * as Effect from "effect/Effect";
import { isDeepStrictEqual } from "node:util";
import { AssertionFailedError, type MachineError } from "./errors.ts";
import type { Machine } from "./machine.ts";

/** One thing that a boot test verifies. */
export interface Assertion {
  /** What is true if it holds: "the host name is helios". */
  readonly description: string;
  /** Asks the guest, and compares. */
  readonly run: (machine: Machine) => Effect.Effect<void, AssertionFailedError | MachineError>;
}

/** Fails unless both are deeply equal; the message shows both as JSON. */
export function expectEqual(
  expected: unknown,
  actual: unknown,
  detail?: string,
): Effect.Effect<void, AssertionFailedError> {
  return isDeepStrictEqual(expected, actual) ? Effect.void : mismatch(show(expected), show(actual), detail);
}

/** Fails with what was expected and what was found, both as phrases. */
export function mismatch(
  expected: string,
  actual: string,
  detail?: string,
): Effect.Effect<never, AssertionFailedError> {
  return Effect.fail(new AssertionFailedError({ expected, actual, ...(detail === undefined ? {} : { detail }) }));
}

/** The longest text that a message shows of one value. */
const longestShown = 2000;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}… (${text.length} characters)`;
}
