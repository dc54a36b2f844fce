import * as Effect from "effect/Effect";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { BuildOptions } from "#lib/build/options.ts";
import { prepareShell } from "#lib/build/shell.ts";
import { ShellFailed, UnsuitableFlags } from "../errors.ts";
import { endDisplay } from "../print.ts";
import type { Target } from "./build.ts";
import { say } from "./store-paths.ts";

/** `build --shell`: a shell in the sandbox of one derivation. */
export const openShell = (targets: readonly Target[], options: BuildOptions) =>
  Effect.gen(function* () {
    const [target] = targets;
    if (target === undefined || targets.length > 1) {
      return yield* new UnsuitableFlags({ problem: `--shell is for one installable, not ${targets.length}.` });
    }
    const { command, kept } = yield* prepareShell(target, options);
    yield* say(
      kept === undefined
        ? "a shell in an empty build directory; it is deleted when you leave"
        : `a shell in what the failed build left: ${kept}`,
    );
    yield* endDisplay;
    const code = yield* runInTerminal(command);
    if (code !== 0) return yield* new ShellFailed({ code });
  }).pipe(Effect.scoped);

/**
 * Gives the terminal to a sandbox until its shell ends. The sandbox is in a session of its own, so what the terminal
 * does at Ctrl-C does not reach it: otherwise bubblewrap would die of it, and the shell with it. The programs in the
 * sandbox are told instead.
 */
const runInTerminal = ([program, ...args]: readonly [string, ...string[]]) =>
  Effect.promise(async (signal) => {
    const child = spawn(program, args, { stdio: "inherit", env: {}, detached: true });
    const { pid } = child;
    const listeners = process.listeners("SIGINT");
    process.removeAllListeners("SIGINT");
    if (pid !== undefined) {
      signal.addEventListener("abort", () => tell(-pid, "SIGKILL"));
      process.on("SIGINT", () => {
        for (const init of childrenOf(pid)) for (const inside of childrenOf(init)) interruptAll(inside);
      });
    }
    try {
      return await new Promise<number>((done) => {
        child.once("error", () => done(127));
        child.once("close", (code) => done(code ?? 1));
      });
    } finally {
      process.removeAllListeners("SIGINT");
      for (const listener of listeners) process.on("SIGINT", listener);
    }
  });

function interruptAll(pid: number): void {
  for (const child of childrenOf(pid)) interruptAll(child);
  tell(pid, "SIGINT");
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .map(Number)
      .filter((child) => child > 0);
  } catch {
    return []; // It has ended.
  }
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
