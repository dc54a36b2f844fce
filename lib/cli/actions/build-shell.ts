import * as Effect from "effect/Effect";
import { spawn } from "node:child_process";
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

/** Gives the terminal to a program until it ends. Ctrl-C is the program's meanwhile. */
const runInTerminal = ([program, ...args]: readonly [string, ...string[]]) =>
  Effect.promise(async () => {
    const interrupts = process.listeners("SIGINT");
    process.removeAllListeners("SIGINT").on("SIGINT", () => {});
    try {
      const child = spawn(program, args, { stdio: "inherit", env: {} });
      return await new Promise<number>((done) => {
        child.once("error", () => done(127));
        child.once("close", (code) => done(code ?? 1));
      });
    } finally {
      process.removeAllListeners("SIGINT");
      for (const listener of interrupts) process.on("SIGINT", listener);
    }
  });
