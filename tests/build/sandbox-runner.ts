import * as Effect from "effect/Effect";
import * as nodeFs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { LimitExceeded, type Limits } from "#lib/build/limits.ts";
import { BuildLog } from "#lib/build/log.ts";
import { prepareSandbox, runSandbox, sandboxArgumentFile, scratchDirectories } from "#lib/build/sandbox.ts";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { readToolRoot } from "#lib/build/sandbox/environment.ts";
import { makeLauncher, sandboxCommand } from "#lib/build/sandbox/launcher.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { makeToolRoot } from "./tool-root.ts";

/** What a script did in the sandbox. */
export interface SandboxRun {
  readonly code: number | null;
  readonly limit: string | undefined;
  readonly lines: readonly string[];
  /** Where the writable directories lie on the host; removed with the runner. */
  readonly store: string;
  readonly build: string;
}

/** Runs bash scripts in sandboxes that share a tool root and one input, the file `/nix/store/<hash>-input`. */
export interface SandboxRunner {
  readonly input: string;
  readonly root: string;
  readonly run: (
    script: string,
    options?: { env?: Record<string, string>; limits?: Limits; signal?: AbortSignal; onLine?: (line: string) => void },
  ) => Promise<SandboxRun>;
  readonly remove: () => Promise<void>;
}

const input = `/nix/store/${"0".repeat(32)}-input` as StorePath;

/** Fails with the sentence that says how to install bubblewrap, if there is none. */
export async function makeSandboxRunner(): Promise<SandboxRunner> {
  const bubblewrap = await Effect.runPromise(
    Effect.flatMap(Bubblewrap, ({ locate }) => locate).pipe(
      Effect.provide(Bubblewrap.layer),
      Effect.provide(FileSystem.layer),
    ),
  );
  const launcher = await makeLauncher(nodeFs, bubblewrap);
  const tools = await makeToolRoot();
  const directory = await mkdtemp(join(tmpdir(), "helios-sandbox-"));
  const physicalInput = join(directory, "input");
  await writeFile(physicalInput, "input\n", { mode: 0o444 });
  let runs = 0;
  return {
    input,
    root: tools.path,
    run: async (script, { env = {}, limits = {}, signal, onLine } = {}) => {
      const scratch = join(directory, `run-${++runs}`);
      await mkdir(scratch, { mode: 0o700 });
      const lines: string[] = [];
      const description = await prepareSandbox(nodeFs, {
        toolRoot: await readToolRoot(nodeFs, tools.path),
        inputs: [input],
        physical: () => physicalInput,
        scratch,
        env,
        cores: 2,
      });
      const argumentFile = join(scratch, "arguments");
      await writeFile(argumentFile, sandboxArgumentFile(description));
      const log = BuildLog.open(nodeFs, join(scratch, "log"), {
        line: (line) => {
          lines.push(line);
          onLine?.(line);
        },
        phase: () => {},
        warning: () => {},
      });
      const command = sandboxCommand(launcher, argumentFile, ["/bin/bash", "-c", script], limits.memory);
      const run = runSandbox(command, log, limits).pipe(
        Effect.provide(Processes.layer),
        Effect.catchTag("LimitExceeded", (limit) => Effect.succeed(limit)),
      );
      const ended = await Effect.runPromise(run, signal === undefined ? {} : { signal });
      log.close();
      const { store, build } = scratchDirectories(scratch);
      return ended instanceof LimitExceeded
        ? { code: null, limit: ended.limit, lines, store, build }
        : { code: ended.code, limit: undefined, lines, store, build };
    },
    remove: async () => {
      await tools.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
