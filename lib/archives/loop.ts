import * as Effect from "effect/Effect";

/**
 * Runs a plain asynchronous loop as an Effect whose interruption waits.
 *
 * The loop learns from its signal that it should stop, and the fiber goes on
 * only when it has: so nothing writes into a directory that the next finalizer
 * removes. (`Effect.tryPromise` would leave the loop running behind it.) What
 * the loop throws becomes the failure, unchanged.
 */
export const runLoop = <A>(loop: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, unknown> =>
  Effect.callback<A, unknown>((resume) => {
    const controller = new AbortController();
    const running = Promise.resolve().then(() => loop(controller.signal));
    running.then(
      (value) => resume(Effect.succeed(value)),
      (cause: unknown) => resume(Effect.fail(cause)),
    );
    return Effect.promise(async () => {
      controller.abort();
      await running.catch(() => {});
    });
  });
