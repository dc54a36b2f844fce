import { defineModule, mkBefore, mkOption, types } from "#lib/evaluator/index.ts";
import type { AssertionData } from "#lib/machine/assertion-data.ts";

const options = {
  tests: {
    boot: mkOption({
      type: types.listOf(types.opaque("boot assertion", isAssertion)),
      default: [],
      description:
        "What `check` verifies on the booted system. A module declares here what its options promise; all of it runs in one boot.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    tests: typeof options;
  }
}

/** Boot tests, beside the options whose promises they verify. */
export default defineModule({
  name: "tests",
  options,
  config: {
    tests: {
      boot: mkBefore([(config) => ({ type: "booted", target: config.services.defaultTarget })]),
    },
  },
});

/** Whether a value is shaped like an assertion; its fields are checked where it is run. */
function isAssertion(value: unknown): value is AssertionData {
  return typeof value === "object" && value !== null && ("type" in value || "command" in value);
}
