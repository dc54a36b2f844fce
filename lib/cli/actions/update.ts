import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { evaluateLocked, lockFile, outputsOf } from "#lib/flake/evaluate.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { writeLock } from "#lib/flake/lock-file.ts";
import { type EnvironmentChange, refresh } from "#lib/flake/lock-update.ts";
import { retainEnvironments } from "#lib/flake/lock.ts";
import { discoverMirrors } from "#lib/flake/mirrors.ts";
import { bubblewrapRequest } from "#pkgs/bubblewrap.ts";
import { withEngine } from "../engine.ts";
import type { ProgressFlags } from "../progress.ts";
import { count } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";

/** What to resolve. */
interface UpdateInput extends ProgressFlags {
  readonly environments: readonly string[];
  readonly json: boolean;
}

/** Resolves environments of the lock file anew. */
export const update = (flake: LocatedFlake, input: UpdateInput) =>
  withEngine(
    flake,
    { ...input, locked: false },
    Effect.gen(function* () {
      const { lock, requested } = yield* evaluateLocked(flake, { locked: false }, (view) => {
        view.packages(bubblewrapRequest);
        readEverything(outputsOf(flake, view));
        return Result.succeed(undefined);
      });
      const mirrors = yield* discoverMirrors(flake.inputs.debian);
      const names = input.environments.length > 0 ? input.environments : [...requested.keys()];
      const update = yield* refresh(lock, names, "asked for", { mirrors });
      const kept = retainEnvironments(update.lock, new Set(requested.keys()));
      yield* writeLock(lockFile(flake), kept);
      if (input.json) return yield* printJson(update.changes);
      if (update.changes.length === 0) return yield* printLine("nothing has changed");
      for (const change of update.changes) yield* printLine(describeChange(change));
    }),
  );

/** Reads every package and check, so that every environment is asked for. */
function readEverything(outputs: FlakeOutputs): void {
  for (const name of Object.keys(outputs.packages)) void outputs.packages[name];
  for (const name of Object.keys(outputs.checks)) void outputs.checks[name];
}

function describeChange({ environment, added, removed, changed }: EnvironmentChange): string {
  const lines = [
    ...added.map(({ package: name, version }) => `  + ${name} ${version}`),
    ...removed.map(({ package: name, version }) => `  - ${name} ${version}`),
    ...changed.map(({ package: name, from, to }) => `  ${name} ${from} → ${to}`),
  ];
  return [`${environment}: ${count(lines.length, "change")}`, ...lines].join("\n");
}
