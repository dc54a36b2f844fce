import * as Effect from "effect/Effect";
import { type StoreError, storeError } from "./errors.ts";

/**
 * Runs plain asynchronous code as an Effect. `operation` completes "cannot …" in the message of an error
 * that the system reports; the signal says that nobody waits any more. One is only made for a `run` that declares it.
 */
export function attempt<A>(
  operation: string,
  path: string,
  run: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, StoreError> {
  return Effect.tryPromise({ try: run, catch: (cause) => storeError(operation, path, cause) });
}
