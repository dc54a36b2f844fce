import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { posix } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { type DerivationPath, isStorePath } from "#lib/derivations/store-path.ts";
import type { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import { keptFailure } from "#lib/store/layout.ts";
import { Store } from "#lib/store/store.ts";
import { runPlan } from "./build.ts";
import { builderView } from "./builder-run.ts";
import { type Builtins, isBuiltin } from "./builtin.ts";
import { type BuildError, type ScratchError, UnsuitableDerivation } from "./errors.ts";
import { instantiateRoots } from "./instantiate-roots.ts";
import { BuildLog } from "./log.ts";
import type { BuildOptions } from "./options.ts";
import { makePlan } from "./plan.ts";
import { addDerivation, realise, type ResolvedDerivation, resolveDerivation } from "./realise.ts";
import { prepareSandbox, sandboxArgumentFile } from "./sandbox.ts";
import { readToolRoot } from "./sandbox/environment.ts";
import type { Bubblewrap } from "./sandbox/bubblewrap.ts";
import { sandboxCommand } from "./sandbox/launcher.ts";
import { inScratch } from "./scratch.ts";
import { makeSession, type Session } from "./session.ts";
import { readDerivation } from "./stored-derivation.ts";

type Services = Store | FileSystem | Processes | Events | Builtins | Bubblewrap;

/** A shell that waits to be started in the sandbox of a build. */
export interface BuildShell {
  /** For whoever has the terminal. It needs no variables of the environment. */
  readonly command: readonly [string, ...string[]];
  /** The directory of a failed build, if the shell is in that; else the shell's own is empty and goes with the scope. */
  readonly kept: string | undefined;
}

/**
 * Builds everything that a derivation needs, and prepares a shell in its sandbox in place of its builder: same
 * root, inputs, variables and user, no network. Of a failed build whose directory was kept, the shell is in that.
 */
export const prepareShell = Effect.fnUntraced(function* (
  target: Derivation | DerivationPath,
  options: BuildOptions = {},
): Effect.fn.Return<BuildShell, BuildError | UnsuitableDerivation | ScratchError, Services | Scope.Scope> {
  if (typeof target === "string") {
    const derivation = yield* readDerivation(target);
    const session = yield* makeSession(options);
    return yield* shellOf(resolveDerivation(derivation, session.outputs), session);
  }
  const { instantiation, addInput } = yield* instantiateRoots([target]);
  const plan = yield* makePlan(instantiation, [target], { again: "roots" });
  const session = yield* makeSession(options, plan.realised, addInput);
  const root = instantiation.derivations.get(target);
  if (root === undefined) return yield* Effect.die(new TypeError(`${target.name} is not instantiated`));
  // The shell stands in for the last build, so that is none of those announced.
  const builds = plan.builds.filter(({ derivation }) => derivation !== root);
  if (builds.length > 0) {
    yield* runPlan({ ...plan, builds }, session, ({ derivation }) => Effect.asVoid(realise(derivation, session)));
  }
  const resolved = resolveDerivation(root, session.outputs);
  yield* addDerivation(resolved, session);
  return yield* shellOf(resolved, session);
});

const shellOf = Effect.fnUntraced(function* ({ path, store: derivation }: ResolvedDerivation, session: Session) {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const kept = keptFailure(store.layout, path);
  const replay = posix.join(kept, "replay.sh");
  if (
    yield* Effect.promise(() =>
      fs.promises.access(replay).then(
        () => true,
        () => false,
      ),
    )
  ) {
    return { command: ["/bin/sh", replay, "--shell"], kept } satisfies BuildShell;
  }
  const environment = derivation.env.get("environment") ?? "";
  if (isBuiltin(derivation.builder) || !isStorePath(environment)) {
    return yield* new UnsuitableDerivation({
      name: derivation.name,
      reason: "it has no sandbox: its builder is a part of this program",
      remedy: "Ask for a shell of something that a program builds.",
    });
  }
  const launcher = yield* session.sandbox;
  const scratch = yield* store.temporaryDirectory;
  const listener = { line: () => {}, phase: () => {}, warning: () => {} };
  const log = yield* inScratch(scratch, async () => BuildLog.open(fs, posix.join(scratch, "log"), listener));
  yield* inScratch(scratch, async () => log.close());
  const { cores, limits } = session.options;
  const view = builderView({ path, derivation, scratch, log, limits, cores });
  const inputs = yield* store.closure(derivation.inputSources);
  const argumentFile = posix.join(scratch, "arguments");
  yield* inScratch(scratch, async () => {
    const physical = (logical: string): string => store.physical(logical);
    const toolRoot = await readToolRoot(fs, physical(environment));
    const request = { toolRoot, inputs, physical, scratch, env: view.env, cores };
    await fs.promises.writeFile(argumentFile, sandboxArgumentFile(await prepareSandbox(fs, request)));
  });
  return {
    command: sandboxCommand(launcher, argumentFile, ["/bin/sh", "-i"], limits.memory),
    kept: undefined,
  } satisfies BuildShell;
});
