import * as Effect from "effect/Effect";
import { posix } from "node:path";
import { emit, type Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import type { Assertion } from "./assertion.ts";
import type { Machine } from "./machine.ts";

/** What became of one assertion. */
export interface AssertionResult {
  readonly description: string;
  readonly passed: boolean;
  /** False when there was no machine any more to ask; then it has not passed. */
  readonly tried: boolean;
  /** Empty when it passed; otherwise expected and actual values and what else helps. */
  readonly detail: string;
  readonly milliseconds: number;
}

/** What a boot test has found out so far, over all of its boots. */
export interface BootRecord {
  readonly results: readonly AssertionResult[];
  /** The guest's journals that were saved on the host, one for each boot with a failure. */
  readonly journals: readonly string[];
  /** Whether there is no machine any more that anything could be asked of. */
  readonly isLost: () => boolean;
  /**
   * Tries an assertion and reports it. After an `essential` one has failed, nothing
   * that follows is tried. At the first failure of a boot its journal is saved in `directory`.
   */
  readonly verify: (
    machine: Machine,
    directory: string,
    assertion: Assertion,
    options: { readonly essential: boolean },
  ) => Effect.Effect<void, never, Events>;
  /** Reports assertions as failed that cannot be tried. */
  readonly skip: (assertions: readonly Assertion[]) => Effect.Effect<void, never, Events>;
}

/** Makes the record of the boot test `check`. */
export const makeBootRecord = Effect.fnUntraced(function* (
  check: string,
): Effect.fn.Return<BootRecord, never, FileSystem> {
  const fs = yield* FileSystem;
  const results: AssertionResult[] = [];
  const journals = new Map<string, string | undefined>();
  let lost = false;

  const add = (result: AssertionResult) => {
    results.push(result);
    const { description, passed, detail } = result;
    return emit({ type: "check-result", check, assertion: description, passed, detail });
  };
  const skip = ({ description }: Assertion) =>
    add({
      description,
      passed: false,
      tried: false,
      detail: "not tried: the machine was lost before",
      milliseconds: 0,
    });

  return {
    results,
    get journals() {
      return [...journals.values()].filter((path) => path !== undefined);
    },
    isLost: () => lost,
    skip: (assertions) => Effect.forEach(assertions, skip, { discard: true }),
    verify: Effect.fnUntraced(function* (machine, directory, assertion, { essential }) {
      if (lost) return yield* skip(assertion);
      const started = performance.now();
      const outcome = yield* Effect.result(assertion.run(machine));
      const failure = outcome._tag === "Failure" ? outcome.failure : undefined;
      yield* add({
        description: assertion.description,
        passed: failure === undefined,
        tried: true,
        detail: failure?.message ?? "",
        milliseconds: Math.round(performance.now() - started),
      });
      if (failure === undefined) return;
      if (essential || failure._tag === "MachineStoppedError") lost = true;
      // At the first failure, since a later assertion may end the machine.
      else if (!journals.has(directory)) journals.set(directory, yield* saveJournal(fs, machine, directory));
    }),
  };
});

/** Saves the guest's journal beside the serial log; undefined when the guest does not give it. */
const saveJournal = Effect.fnUntraced(function* (fs: FileSystemShape, machine: Machine, directory: string) {
  const path = posix.join(directory, "journal.log");
  return yield* machine.succeed("journalctl --boot --no-pager --output=short-monotonic --lines=5000").pipe(
    Effect.flatMap((text) => Effect.tryPromise(() => fs.promises.writeFile(path, text))),
    Effect.as(path),
    Effect.orElseSucceed(() => undefined),
  );
});
