import { type ChildProcess, fork, spawn } from "node:child_process";
import { join, resolve } from "node:path";

import type { Request } from "./shared-process.ts";

/** The repository. */
export const root = resolve(import.meta.dirname, "../..");

/** What a command printed and how it ended. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a flake's command line in a process of its own, as a user would. */
export async function helios(
  args: readonly string[],
  options: { readonly flake?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, ["--import=tsx", options.flake ?? join(root, "flake.ts"), ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, CI: "true", NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => (output[stream] += text));
  }
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, ...output };
}

/**
 * Runs command lines in one process after the other, which need not load everything each time: for those that say what
 * is wrong with their arguments or a configuration, or print something. Whatever builds gets a process of its own.
 */
export class SharedProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (finished: Finished) => void>();
  #requests = 0;

  constructor(t: { readonly teardown: (action: () => void) => void }) {
    this.#child = fork(join(import.meta.dirname, "shared-process.ts"), {
      execArgv: ["--import=tsx"],
      cwd: root,
      env: { ...process.env, CI: "true", NO_COLOR: "1" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", ({ id, finished }: { readonly id: number; readonly finished: Finished }) => {
      this.#waiting.get(id)?.(finished);
      this.#waiting.delete(id);
    });
    // A process that ends too early answers nobody any more.
    this.#child.on("exit", (code) => {
      for (const answer of this.#waiting.values()) answer({ code, stdout: "", stderr: "the shared process ended" });
    });
    t.teardown(() => void this.#child.disconnect());
  }

  /** As `helios`, one at a time. */
  helios = (args: readonly string[], options: Partial<Omit<Request, "args">> = {}): Promise<Finished> => {
    const id = this.#requests++;
    const request: Request = { flake: join(root, "flake.ts"), cwd: root, env: {}, ...options, args };
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, request });
    });
  };
}
