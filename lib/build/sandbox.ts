import * as Effect from "effect/Effect";
import { posix } from "node:path";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { FileSystemShape } from "#lib/platform/file-system.ts";
import { type ExitStatus, Processes } from "#lib/platform/processes.ts";
import { treeFiles } from "#lib/store/tree-files.ts";
import { LimitExceeded, type Limits } from "./limits.ts";
import type { BuildLog } from "./log.ts";
import { type SandboxDescription, sandboxArguments } from "./sandbox/arguments.ts";
import { coverAccountFiles, entryAt, type ToolRoot } from "./sandbox/environment.ts";
import { passAsFile, sandboxVariables } from "./sandbox/variables.ts";

/** What to run in a sandbox. */
export interface SandboxRequest {
  readonly toolRoot: ToolRoot;
  /** The closure of the inputs. */
  readonly inputs: readonly StorePath[];
  readonly physical: (path: StorePath) => string;
  /** Private directory of this build, empty, on the file system of the store. */
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cores: number;
}

/** The parts of a build's private directory. */
export interface ScratchDirectories {
  /** Behind /nix/store: outputs are found here. */
  readonly store: string;
  /** Behind /build. */
  readonly build: string;
  /** Behind /tmp. */
  readonly temporary: string;
}

export const scratchDirectories = (scratch: string): ScratchDirectories => ({
  store: posix.join(scratch, "store"),
  build: posix.join(scratch, "build"),
  temporary: posix.join(scratch, "tmp"),
});

/** Makes the private directories and describes the sandbox; nothing runs yet. */
export async function prepareSandbox(fs: FileSystemShape, request: SandboxRequest): Promise<SandboxDescription> {
  const { store, build, temporary } = scratchDirectories(request.scratch);
  const files = treeFiles(fs);
  for (const directory of [store, build, temporary]) files.mkdirSync(directory);
  const { env, files: values } = passAsFile(request.env);
  for (const { file, content } of values) await fs.promises.writeFile(posix.join(build, file), content);
  return {
    root: request.toolRoot.path,
    rootEntries: request.toolRoot.entries,
    files: coverAccountFiles(files, request.toolRoot.accountFiles, posix.join(request.scratch, "etc")),
    inputs: request.inputs.map((path) => entryAt(files, path, request.physical(path))),
    store,
    build,
    temporary,
    variables: sandboxVariables(env, { cores: request.cores }),
  };
}

/** The arguments that `sandboxCommand` reads: each ends in a NUL byte. */
export function sandboxArgumentFile(description: SandboxDescription): string {
  return sandboxArguments(description)
    .map((argument) => `${argument}\0`)
    .join("");
}

/**
 * Runs the builder to its end. When a limit is exceeded or the fiber is interrupted, every process of the sandbox
 * is killed, and this returns only after the last one is gone: so the scratch directory can be removed.
 */
export const runSandbox = Effect.fnUntraced(function* (
  [program, ...args]: readonly [string, ...string[]],
  log: BuildLog,
  limits: Limits,
) {
  const processes = yield* Processes;
  let ended: Promise<unknown> = Promise.resolve();
  // Finalizers run last to first: the process is killed, then this waits for its pipe to close.
  yield* Effect.addFinalizer(() => Effect.promise(() => ended));
  const child = yield* processes.spawn({ command: program, args, env: {}, stdin: "ignore", stderr: "ignore" });
  const output = child.stdout === null ? Promise.resolve() : log.consume(child.stdout);
  const exit = Effect.runPromise(child.exit);
  ended = Promise.allSettled([output, exit]);
  const finished = Effect.promise(async (): Promise<ExitStatus> => {
    await output;
    return exit;
  });
  return yield* Effect.raceFirst(finished, LimitExceeded.watch(log, limits));
}, Effect.scoped);
