import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import { emit, type Events } from "#lib/platform/events.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";

/** Milliseconds after which the user is told whom we wait for. */
const patience = 1000;

/** Does something while no other process that shares the store does it; `task` names it to who has to wait: `builds x`. */
export const withLock = <A, E, R>(
  key: string,
  task: string,
  locked: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | StoreError, R | Store | Events> =>
  Effect.gen(function* () {
    const store = yield* Store;
    const note = emit({ type: "note", message: `waiting for another process that ${task}` });
    const waiting = yield* Effect.forkScoped(Effect.andThen(Effect.sleep(patience), note));
    return yield* store.withLock(key, Effect.andThen(Fiber.interrupt(waiting), locked));
  }).pipe(Effect.scoped);
