import * as Effect from "effect/Effect";
import { UnitFailedError, type MachineError } from "./errors.ts";
import type { CommandResult } from "./shell.ts";
import { shellQuote } from "./shell-protocol.ts";

type Run = (command: string) => Effect.Effect<CommandResult, MachineError>;

/** What `systemctl show` says of a unit. */
export interface UnitState {
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  /** Whether a start or stop of the unit is queued. */
  readonly hasJob: boolean;
  /** Whether systemd passed over the unit because one of its conditions was not met. */
  readonly skipped: boolean;
}

const properties = [
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "Job",
  "ConditionResult",
  "ConditionTimestampMonotonic",
];

/** The command whose output `parseUnitState` reads. */
export const showUnit = (unit: string): string =>
  `systemctl show --property=${properties.join(",")} -- ${shellQuote(unit)}`;

/** Reads `Name=value` lines. */
function parseProperties(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const equals = line.indexOf("=");
      return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
    }),
  );
}

export function parseUnitState(text: string): UnitState {
  const values = parseProperties(text);
  const value = (name: string): string => values.get(name) ?? "";
  return {
    loadState: value("LoadState"),
    activeState: value("ActiveState"),
    subState: value("SubState"),
    result: value("Result"),
    hasJob: !["", "0"].includes(value("Job")),
    skipped: value("ConditionResult") === "no" && !["", "0"].includes(value("ConditionTimestampMonotonic")),
  };
}

/** What is to be made of a unit's state by somebody who waits for it to become active. */
export type UnitOutlook =
  | { readonly type: "active" }
  | { readonly type: "pending"; readonly detail: string }
  /** It is not on its way, though something may still start it while the system comes up. */
  | { readonly type: "idle"; readonly problem: string }
  | { readonly type: "hopeless"; readonly problem: string };

export function unitOutlook(state: UnitState): UnitOutlook {
  const now = `${state.activeState} (${state.subState})`;
  if (state.activeState === "active" || state.activeState === "reloading") return { type: "active" };
  if (state.loadState !== "loaded" && state.loadState !== "") {
    return { type: "hopeless", problem: `cannot be loaded: its load state is '${state.loadState}'` };
  }
  if (state.activeState === "failed") return { type: "hopeless", problem: `has failed: ${state.result}` };
  if (state.activeState === "inactive" && !state.hasJob) {
    const problem = state.skipped
      ? "was skipped: one of its conditions is not met"
      : "is inactive, and nothing is about to start it";
    return { type: "idle", problem };
  }
  return { type: "pending", detail: `its state is ${now}${state.hasJob ? ", with a job queued" : ""}` };
}

/** One look at a unit: done when it is active; fails when waiting on makes no sense. */
export const waitForUnit = Effect.fnUntraced(function* (machine: string, run: Run, unit: string) {
  const outlook = unitOutlook(parseUnitState((yield* run(showUnit(unit))).stdout));
  switch (outlook.type) {
    case "active":
      return { done: true as const, value: undefined };
    case "pending":
      return { done: false as const, detail: outlook.detail };
    case "idle":
      if (yield* isStarting(run)) return { done: false as const, detail: `it ${outlook.problem}` };
      return yield* unitFailure(machine, run, unit, outlook.problem);
    case "hopeless":
      return yield* unitFailure(machine, run, unit, outlook.problem);
  }
});

const isStarting = (run: Run): Effect.Effect<boolean, MachineError> =>
  Effect.map(run("systemctl show --property=SystemState"), ({ stdout }) =>
    ["initializing", "starting"].includes(parseProperties(stdout).get("SystemState") ?? ""),
  );

/** Collects what the guest says about a unit that is not as it should be. */
export const unitFailure = Effect.fnUntraced(function* (machine: string, run: Run, unit: string, problem: string) {
  const quoted = shellQuote(unit);
  const status = yield* run(`systemctl status --no-pager --full --lines=0 -- ${quoted}`);
  const journal = yield* run(`journalctl --boot --no-pager --quiet --output=short --lines=30 --unit=${quoted}`);
  return yield* new UnitFailedError({ machine, unit, problem, status: status.stdout, journal: journal.stdout });
});
