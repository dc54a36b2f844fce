import * as Effect from "effect/Effect";
import { posix } from "node:path";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { logFile } from "#lib/store/layout.ts";
import { Store } from "#lib/store/store.ts";
import { treeFiles } from "#lib/store/tree-files.ts";
import { type BuilderRun, type BuilderView, builderView } from "./builder-run.ts";
import { runBuiltin } from "./builtin-builder.ts";
import { type Builtins, isBuiltin } from "./builtin.ts";
import {
  type BuilderEnd,
  BuilderFailed,
  BuiltinFailed,
  type RealisationError,
  UnsuitableDerivation,
} from "./errors.ts";
import { explain } from "./hints.ts";
import { keepFailed } from "./keep-failed.ts";
import { BuildLog, logTail } from "./log.ts";
import { runProgram, sandboxedCommand } from "./program-builder.ts";
import type { ResolvedDerivation } from "./realise.ts";
import { registerOutputs } from "./register-outputs.ts";
import { inScratch } from "./scratch.ts";
import type { Session } from "./session.ts";

/** Builds a resolved derivation in a private directory and registers what it made. */
export const buildOutputs = Effect.fnUntraced(function* (
  resolved: ResolvedDerivation,
  session: Session,
): Effect.fn.Return<
  ReadonlyMap<string, StorePath>,
  RealisationError,
  Store | FileSystem | Processes | Events | Builtins
> {
  const store = yield* Store;
  const { store: derivation, path } = resolved;
  yield* refuseInputAddressed(derivation);
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const scratch = yield* store.temporaryDirectory;
      const log = yield* openLog(resolved);
      const run: BuilderRun = {
        path,
        derivation,
        scratch,
        log,
        limits: session.options.limits,
        cores: session.options.cores,
      };
      const view = builderView(run);
      const end = yield* runBuilder(run, view, session);
      yield* inScratch(log.path, async () => log.close());
      const failure = end ?? (yield* missingOutputs(view));
      if (failure !== undefined) return yield* builderFailed(failure, run, view, session);
      return yield* registerOutputs(run, view);
    }),
  );
});

const openLog = Effect.fnUntraced(function* ({ path, original, store: { name } }: ResolvedDerivation) {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const events = yield* Events;
  const file = logFile(store.layout, path);
  const open = inScratch(file, async () =>
    BuildLog.open(fs, file, {
      line: (line) => events.emit({ type: "build-log", derivation: original, name, line }),
      phase: (phase) => events.emit({ type: "build-phase", derivation: original, name, phase }),
      warning: (message) => events.emit({ type: "warning", message: `${name}: ${message}` }),
    }),
  );
  return yield* Effect.acquireRelease(open, (log) => Effect.ignore(inScratch(file, async () => log.close())));
});

function refuseInputAddressed({ name, outputs }: StoreDerivation): Effect.Effect<void, UnsuitableDerivation> {
  const addressedByInput = [...outputs.values()].some(({ kind }) => kind === "input-addressed" || kind === "deferred");
  return addressedByInput
    ? Effect.fail(
        new UnsuitableDerivation({
          name,
          reason: "its outputs are addressed by its inputs, and this builder only addresses content",
          remedy: 'Leave out `addressing: "input"`.',
        }),
      )
    : Effect.void;
}

/** Runs the builder inside the engine or inside the sandbox; says how it ended unless that was well. */
const runBuilder = (run: BuilderRun, view: BuilderView, session: Session) =>
  isBuiltin(run.derivation.builder)
    ? runBuiltin(run, view).pipe(
        Effect.catchTag("BuiltinFailure", (failure) => {
          const { name, builder } = run.derivation;
          run.log.line(failure.message);
          return Effect.fail(new BuiltinFailed({ name, derivation: run.path, builder, log: run.log.path, failure }));
        }),
      )
    : runProgram(run, view, session.sandbox);

const missingOutputs = Effect.fnUntraced(function* (view: BuilderView) {
  const files = treeFiles(yield* FileSystem);
  const missing = ({ physical }: { readonly physical: string }): boolean =>
    files.lstatSync(physical, { throwIfNoEntry: false }) === undefined;
  const outputs = [...view.outputs].flatMap(([name, output]) => (missing(output) ? [name] : []));
  return outputs.length === 0 ? undefined : ({ kind: "outputs-missing", outputs } satisfies BuilderEnd);
});

/** Collects what a user needs to understand a failure, and keeps the directory if asked to. */
const builderFailed = Effect.fnUntraced(function* (
  end: BuilderEnd,
  run: BuilderRun,
  view: BuilderView,
  session: Session,
) {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const { options } = session;
  const tail = yield* Effect.promise(() => logTail(fs, run.log.path));
  const command = isBuiltin(run.derivation.builder) ? undefined : sandboxedCommand(yield* session.sandbox, run, view);
  const kept = options.keepFailed
    ? yield* inScratch(run.scratch, () => keepFailed(fs, store.layout, run, view, command))
    : undefined;
  return yield* new BuilderFailed({
    name: run.derivation.name,
    derivation: run.path,
    phase: run.log.phase,
    log: run.log.path,
    logProblem: tail.problem,
    lastLines: tail.lines.slice(-options.logLines),
    hints: explain(tail.lines),
    kept,
    replay: kept === undefined ? options.replayCommand?.(run.path) : `sh ${posix.join(kept, "replay.sh")}`,
    end,
  });
});
