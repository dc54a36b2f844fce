import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { dryRun } from "#lib/build/build.ts";
import { formatOrigin, readBuildRecord } from "#lib/build/inspect/build-record.ts";
import { formatReason, type PlanReason, planReasons } from "#lib/build/inspect/plan-reasons.ts";
import { type PlannedTask, planTasks } from "#lib/build/inspect/task-plan.ts";
import type { SubstitutionOptions } from "#lib/build/options.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DerivationPath } from "#lib/derivations/store-path.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { type Installable, parseInstallable } from "#lib/flake/installable.ts";
import { selectDerivation } from "#lib/flake/select.ts";
import { selectSystem } from "#lib/flake/select-system.ts";
import { systemConfig } from "#lib/flake/system-config.ts";
import type { SystemTask } from "#lib/flake/system-task.ts";
import { UnsuitableFlags } from "../errors.ts";
import type { SubstitutionFlags, WatchFlags } from "../flags.ts";
import { printJson, printText } from "../print.ts";
import { withStore } from "../stores.ts";
import { planGraph, planLines, type ShownTask } from "./plan-text.ts";
import { shownItem } from "./shown-item.ts";
import { originOf, say } from "./store-paths.ts";
import { substitutionOptions } from "./substitution.ts";

/** Of what, and how. */
interface PlanInput extends WatchFlags, SubstitutionFlags {
  readonly installable: string;
  readonly dot: boolean;
  readonly json: boolean;
}

/** Prints what a build would do. Nothing is written. */
export const plan = (flake: LocatedFlake, input: PlanInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      if (input.dot && input.json)
        return yield* new UnsuitableFlags({ problem: "--dot and --json exclude each other. Choose one." });
      const installable = parseInstallable(input.installable);
      if ("_tag" in installable) return yield* Effect.fail(installable);
      const { value } = yield* evaluateFlake(flake, { ...input, warnAbout: [installable] }, (outputs) =>
        selectTasks(outputs, installable),
      );
      const origin = originOf(flake, input.installable);
      const shown = yield* shownTasks(value, origin, yield* substitutionOptions(input));
      if (input.json) return yield* printJson(shown);
      yield* printText(input.dot ? planGraph(shown) : planLines(shown));
    }),
  );

interface Selected {
  readonly root: Derivation;
  readonly tasks: readonly SystemTask[];
}

/** The tasks of a system; anything else that can be built is one task. */
function selectTasks(outputs: FlakeOutputs, installable: Installable) {
  const selected = selectSystem(outputs, installable);
  if (Result.isSuccess(selected)) {
    const { build, tasks } = systemConfig(selected.success.system).system ?? {};
    if (build !== undefined && tasks !== undefined) return Result.succeed<Selected>({ root: build.result, tasks });
  }
  return Result.map(
    selectDerivation(outputs, installable),
    (root): Selected => ({
      root,
      tasks: [{ id: root.name, module: "packages", phase: "build", label: `Build ${root.name}`, derivations: [root] }],
    }),
  );
}

const shownTasks = Effect.fnUntraced(function* (
  { root, tasks }: Selected,
  origin: string,
  substitution: SubstitutionOptions,
) {
  const { instantiation, plan } = yield* dryRun([root], substitution);
  const top = instantiation.derivations.get(root);
  if (top === undefined) return yield* Effect.die(new TypeError(`${root.name} is not instantiated`));
  const record = yield* readBuildRecord(root.name, origin);
  const note = record === undefined || plan.builds.length === 0 ? undefined : formatOrigin(record, origin);
  if (note !== undefined) yield* say(note);
  const reasonOf = planReasons(top.path, instantiation, record);
  return (yield* planTasks(tasks, instantiation, plan)).map((task) => shownTask(task, reasonOf));
});

function shownTask(
  { task, state, after, todo }: PlannedTask<SystemTask>,
  reasonOf: (path: DerivationPath) => PlanReason,
): ShownTask {
  const { id, module, phase, label } = task;
  return {
    id,
    module,
    phase,
    label,
    after,
    state,
    todo: todo.map((item) => ({ ...shownItem(item), reasons: formatReason(reasonOf(item.derivation.path)) })),
  };
}
