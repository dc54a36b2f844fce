import { defineModule, mkBefore, mkOption, types } from "#lib/evaluator/index.ts";
import type { AssertionData, PersistentData } from "#lib/machine/assertion-data.ts";
import type { PowerCutData, PowerCutSeriesData } from "#lib/machine/power-cut.ts";

const assertions = types.listOf(types.opaque("boot assertion", isAssertion));

const options = {
  tests: {
    boot: mkOption({
      type: assertions,
      readBy: "the command check",
      unordered: true,
      default: [],
      description:
        "What `check` verifies on the booted system. A module declares here what its options promise; all of it runs in one boot.",
    }),
    reboot: mkOption({
      type: assertions,
      readBy: "the command check",
      unordered: true,
      default: [],
      description:
        "What `check` verifies once more after it has rebooted the system with the same disk, when all of `tests.boot` is done.",
    }),
    persistent: mkOption({
      type: types.listOf(types.opaque("persistent value", isPersistent)),
      readBy: "the command check",
      unordered: true,
      default: [],
      description:
        "What a reboot must not change, as `{ description, command }`: `check` compares what the command prints before and after it.",
    }),
    powerCuts: mkOption({
      type: types.listOf(types.opaque("series of power cuts", isPowerCutSeries)),
      readBy: "the command check",
      unordered: true,
      default: [],
      example: [
        {
          cuts: [
            { description: "before there are tables", unit: "db.service", program: "make-tables", when: "before" },
          ],
          assertions: [{ type: "unit-active", unit: "db.service" }],
        },
      ],
      description:
        "Power cuts that `check` makes, each series on a disk of its own: its `cuts` one after the other, before, during or after (`when`) a program that a unit runs, if wanted only with a certain `argument`; then it boots once more and verifies its `assertions`.",
    }),
    diskMiB: mkOption({
      type: types.nullOr(types.ints.between(64, 1_048_576)),
      readBy: "the command check",
      default: null,
      example: 8192,
      description:
        "Size of the disk that `check` puts the image on, in MiB; null for a disk as large as the image. Only what the system writes takes space on the host.",
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
      reboot: mkBefore([
        (config) => ({ type: "booted", target: config.services.defaultTarget }),
        {
          description: "no file system had to be repaired",
          // The first line proves that the kernel's messages are in the journal at all.
          command:
            "journalctl --boot --dmesg --output=cat --no-pager | grep -e '^Linux version' -e 'recovery complete'",
          expect: { stdout: { matches: "^Linux version[^\\n]*\\n$(?![^])" } },
        },
      ]),
      persistent: [{ description: "the machine's identifier", command: "cat /etc/machine-id" }],
    },
  },
});

/** Whether a value is shaped like an assertion; its fields are checked where it is run. */
function isAssertion(value: unknown): value is AssertionData {
  return typeof value === "object" && value !== null && ("type" in value || "command" in value);
}

function isPowerCutSeries(value: unknown): value is PowerCutSeriesData {
  return (
    typeof value === "object" &&
    value !== null &&
    "cuts" in value &&
    Array.isArray(value.cuts) &&
    value.cuts.length > 0 &&
    value.cuts.every(isPowerCut) &&
    "assertions" in value &&
    Array.isArray(value.assertions) &&
    value.assertions.every(isAssertion)
  );
}

function isPowerCut(value: unknown): value is PowerCutData {
  return (
    typeof value === "object" &&
    value !== null &&
    "description" in value &&
    "unit" in value &&
    "program" in value &&
    "when" in value &&
    ["before", "during", "after"].includes(String(value.when))
  );
}

function isPersistent(value: unknown): value is PersistentData {
  return typeof value === "object" && value !== null && "description" in value && "command" in value;
}
