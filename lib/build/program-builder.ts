import * as Effect from "effect/Effect";
import { posix } from "node:path";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";
import { isStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import type { Processes } from "#lib/platform/processes.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { Store } from "#lib/store/store.ts";
import { treeFiles } from "#lib/store/tree-files.ts";
import type { BuilderRun, BuilderView } from "./builder-run.ts";
import { type BuilderEnd, type ScratchError, UnsuitableDerivation } from "./errors.ts";
import { prepareSandbox, runSandbox, sandboxArgumentFile } from "./sandbox.ts";
import { installRemedy, SandboxUnavailable } from "./sandbox/bubblewrap.ts";
import { type Launcher, sandboxCommand } from "./sandbox/launcher.ts";
import { malformedVariables, passAsFile, tooLongVariables } from "./sandbox/variables.ts";
import { inScratch } from "./scratch.ts";

/** Runs a program in the sandbox, and says how it ended unless that was well. */
export const runProgram = Effect.fnUntraced(function* (
  run: BuilderRun,
  view: BuilderView,
  sandbox: Effect.Effect<Launcher, SandboxUnavailable>,
): Effect.fn.Return<
  BuilderEnd | undefined,
  UnsuitableDerivation | SandboxUnavailable | ScratchError | StoreError,
  FileSystem | Store | Processes
> {
  const fs = yield* FileSystem;
  const store = yield* Store;
  const { derivation, scratch, log, limits, cores } = run;
  const environment = yield* environmentOf(derivation, view);
  const launcher = yield* sandbox;
  const status = yield* inScratch(scratch, async () => treeFiles(fs).lstatSync(store.physical(environment)));
  if (!status.isDirectory()) {
    return yield* new UnsuitableDerivation({
      name: derivation.name,
      reason: `its environment ${environment} is not a directory`,
      remedy: "Use a tree with usr/ and bin/; a link to one does not do, because it could lead to this machine's own.",
    });
  }
  const inputs = yield* store.closure(derivation.inputSources);
  yield* inScratch(scratch, async () => {
    const description = await prepareSandbox(fs, {
      toolRoot: await launcher.toolRoot(store.physical(environment)),
      inputs,
      physical: (path) => store.physical(path),
      scratch,
      env: view.env,
      cores,
    });
    treeFiles(fs).writeFileSync(argumentFile(scratch), sandboxArgumentFile(description));
  });
  return yield* runSandbox(sandboxedCommand(launcher, run, view), log, limits).pipe(
    Effect.map(({ code, signal }): BuilderEnd | undefined => {
      if (signal !== null) return { kind: "signal", signal };
      return code === 0 ? undefined : { kind: "exit", code: code ?? 1 };
    }),
    Effect.catchTag("LimitExceeded", (limit) => Effect.succeed<BuilderEnd>({ kind: "limit", limit })),
    Effect.catchTag("SpawnError", (cause) =>
      Effect.fail(new SandboxUnavailable({ reason: cause.message.replace(/\.$/, ""), remedy: installRemedy, cause })),
    ),
  );
});

const argumentFile = (scratch: string): string => posix.join(scratch, "arguments");

/** The whole command line of a builder in its sandbox. */
export function sandboxedCommand(
  launcher: Launcher,
  { derivation, scratch, limits }: BuilderRun,
  view: BuilderView,
): readonly [string, ...string[]] {
  return sandboxCommand(launcher, argumentFile(scratch), [derivation.builder, ...view.args], limits.memory);
}

/** The store path in the variable `environment`, after checking that a sandbox can be made of the derivation at all. */
function environmentOf(
  { name, system }: StoreDerivation,
  { env }: BuilderView,
): Effect.Effect<StorePath, UnsuitableDerivation> {
  const refuse = (reason: string, remedy: string) => Effect.fail(new UnsuitableDerivation({ name, reason, remedy }));
  const platform = `${process.arch === "x64" ? "x86_64" : process.arch}-${process.platform}`;
  if (system !== platform) {
    return refuse(`it is for ${system} and this machine is ${platform}`, `Build it on a ${system} machine.`);
  }
  const [malformed] = malformedVariables(env);
  if (malformed !== undefined) {
    return refuse(
      `the environment variable ${JSON.stringify(malformed)} has a NUL byte, or a name with '=' or '/'`,
      "Rename it, or pass its value in a file.",
    );
  }
  const [tooLong] = tooLongVariables(passAsFile(env).env);
  if (tooLong !== undefined) {
    return refuse(
      `the environment variable '${tooLong}' is longer than the 128 KiB that Linux passes to a program`,
      `Add its name to the variable 'passAsFile': the builder then finds the value in the file $${tooLong}Path.`,
    );
  }
  const { environment } = env;
  if (environment === undefined || !isStorePath(environment)) {
    return refuse(
      "its variable 'environment' does not name a tool root in the store",
      "Set it to an environment of packages, for example with mkDerivation.",
    );
  }
  return Effect.succeed(environment);
}
