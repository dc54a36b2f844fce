import * as Effect from "effect/Effect";
import type { InvalidAssertionError } from "../errors.ts";
import { mismatch, type Assertion } from "../assertion.ts";
import type { CommandAssertion } from "../assertion-data.ts";
import { textExpectation, withoutFinalLineEnds, type TextExpectation } from "./expected-text.ts";
import type { CommandResult } from "../shell.ts";

const anyText: TextExpectation = { holds: () => true, phrase: "anything" };

/** A command and its outcome. */
export const command = Effect.fnUntraced(function* (
  data: CommandAssertion,
): Effect.fn.Return<Assertion, InvalidAssertionError> {
  const { stdout } = data.expect;
  const status = data.expect.status ?? 0;
  const text = stdout === undefined ? anyText : yield* textExpectation(data.description, stdout);
  const seconds = data.timeout ?? 30;
  const compare = (result: CommandResult) => {
    if (result.status !== status) {
      return mismatch(`exit status ${status}`, `exit status ${result.status}`, result.stdout + result.stderr);
    }
    if (text.holds(result.stdout)) return Effect.void;
    return mismatch(text.phrase, JSON.stringify(withoutFinalLineEnds(result.stdout)), result.stderr);
  };
  return {
    description: data.description,
    run: Effect.fnUntraced(function* (machine) {
      const once = Effect.flatMap(machine.run(data.command, { timeout: seconds }), compare);
      if (data.retry !== true) return yield* once;
      const end = performance.now() + machine.seconds(seconds) * 1000;
      for (;;) {
        const outcome = yield* Effect.result(once);
        if (outcome._tag === "Success") return;
        if (outcome.failure._tag !== "AssertionFailedError" || performance.now() >= end) return yield* outcome.failure;
        yield* Effect.sleep(1000);
      }
    }),
  };
});
