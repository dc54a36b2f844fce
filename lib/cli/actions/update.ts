import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import type { MirrorList } from "#lib/fetchers/mirrors.ts";
import { type Configuration, selectConfiguration } from "#lib/flake/configuration.ts";
import type { DependencyConflict, PackageNotFound, PackageNotInstallable } from "#lib/flake/errors.ts";
import { evaluateLocked } from "#lib/flake/evaluate.ts";
import { lockFile, outputsOf } from "#lib/flake/outputs.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { type Installable, parseInstallable } from "#lib/flake/installable.ts";
import { writeLock } from "#lib/flake/lock-file.ts";
import { type EnvironmentChange, refresh } from "#lib/flake/lock-update.ts";
import { type Lock, retainEnvironments } from "#lib/flake/lock.ts";
import { discoverMirrors } from "#lib/flake/mirrors.ts";
import { emit } from "#lib/platform/events.ts";
import { bubblewrapRequest } from "#pkgs/bubblewrap.ts";
import { withEngine } from "../engine.ts";
import type { ProgressFlags } from "../progress.ts";
import { count } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";

/** What to resolve. */
interface UpdateInput extends ProgressFlags {
  readonly targets: readonly string[];
  readonly prune: boolean;
  readonly legacy: boolean;
  readonly json: boolean;
}

/** Resolves environments of the lock file anew. */
export const update = (flake: LocatedFlake, input: UpdateInput) =>
  withEngine(
    flake,
    { ...input, locked: false },
    Effect.gen(function* () {
      const files = input.targets.flatMap(fileOf);
      const named = input.targets.filter((target) => fileOf(target).length === 0);
      const { lock, requested, value } = yield* evaluateLocked(flake, { locked: false }, (view) => {
        const outputs = outputsOf(flake, view, input);
        for (const file of files) {
          const configuration = selectConfiguration(outputs, file);
          if (Result.isFailure(configuration)) return Result.fail(configuration.failure);
          readSystem(configuration.success);
        }
        const ofFiles = [...view.requested.keys()];
        if (input.prune || input.targets.length === 0) {
          view.packages(bubblewrapRequest);
          readEverything(outputs);
        }
        return Result.succeed(ofFiles);
      });
      const mirrors = yield* discoverMirrors(flake.inputs.debian);
      // Which files there are that describe systems, a flake cannot know: what its outputs do not need may be theirs.
      const all = input.prune ? requested.keys() : lock.environments.keys();
      const names = input.targets.length > 0 ? [...named, ...value] : [...all];
      const optional = new Set(input.targets.length > 0 ? [] : names.filter((name) => !requested.has(name)));
      const update = yield* refreshPossible(lock, names, optional, mirrors);
      const kept = input.prune
        ? retainEnvironments(update.lock, new Set([...requested.keys(), ...named]))
        : update.lock;
      yield* writeLock(lockFile(flake), kept);
      if (input.json) return yield* printJson(update.changes);
      for (const change of update.changes) yield* printLine(describeChange(change));
      const listed = [...update.lock.environments.keys()].sort();
      const forgotten = listed.filter((name) => !kept.environments.has(name));
      const others = listed.filter((name) => kept.environments.has(name) && !requested.has(name));
      if (forgotten.length > 0)
        yield* printLine(`no output of this flake needs ${forgotten.join(", ")}: no longer pinned`);
      else if (update.changes.length === 0) yield* printLine("nothing has changed");
      if (input.targets.length === 0 && others.length > 0)
        yield* printLine(
          `no output of this flake needs ${others.join(", ")}: kept for files that describe systems. 'update --prune FILE…' keeps what such files need, and forgets the rest`,
        );
    }),
  );

/** Resolves environments anew; of the optional ones, those that cannot be any more keep their pins, with a warning. */
const refreshPossible = Effect.fnUntraced(function* (
  lock: Lock,
  names: readonly string[],
  optional: ReadonlySet<string>,
  mirrors: MirrorList,
) {
  const impossible = new Set<string>();
  for (;;) {
    const possible = names.filter((name) => !impossible.has(name));
    const update = yield* refresh(lock, possible, "asked for", { mirrors }).pipe(
      Effect.catchTags({
        PackageNotFound: (error) => unlessRequired(error, optional),
        PackageNotInstallable: (error) => unlessRequired(error, optional),
        DependencyConflict: (error) => unlessRequired(error, optional),
      }),
    );
    if ("lock" in update) return update;
    impossible.add(update.environment);
    yield* emit({ type: "warning", message: `${update.message} No output of this flake needs it: it keeps its pins.` });
  }
});

type Unresolvable = PackageNotFound | PackageNotInstallable | DependencyConflict;

const unlessRequired = <E extends Unresolvable>(error: E, optional: ReadonlySet<string>): Effect.Effect<E, E> =>
  optional.has(error.environment) ? Effect.succeed(error) : Effect.fail(error);

/** A target that is the name of a file, rather than of an environment. */
function fileOf(target: string): readonly Installable[] {
  const installable = parseInstallable(target);
  return "_tag" in installable || installable.file === undefined ? [] : [installable];
}

/** Reads what a system's image and check are made of. */
function readSystem(configuration: Configuration | undefined): void {
  void configuration?.package;
  void configuration?.check;
}

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
