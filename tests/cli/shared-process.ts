import { pathToFileURL } from "node:url";
import { main } from "#lib/cli/main.ts";
import type { Flake } from "#lib/flake/flake.ts";
import type { Finished } from "./rig.ts";

/** A command line to run, as `heliosShared` sends it. */
export interface Request {
  readonly flake: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A process that runs one command line after the other: `main` does all that it would do as a program of its own, and
 * only what Node loads is loaded once.
 */
const flakes = new Map<string, Flake>();
const ownEnvironment = { ...process.env };
// Each run listens for signals.
process.setMaxListeners(0);

async function run({ flake, args, cwd, env }: Request): Promise<Finished> {
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, ownEnvironment, env);
  process.argv.splice(1, Infinity, flake, ...args);
  process.exitCode = undefined;
  const output = { stdout: "", stderr: "" };
  const restore = (["stdout", "stderr"] as const).map((name) => {
    const { write } = process[name];
    process[name].write = (chunk: unknown, ...rest: unknown[]) => {
      output[name] += String(chunk);
      const done = rest.at(-1);
      if (typeof done === "function") done();
      return true;
    };
    return () => void (process[name].write = write);
  });
  try {
    const known = flakes.get(flake);
    // To import it for the first time runs it, as it does in a program of its own.
    if (known === undefined) flakes.set(flake, ((await import(flake)) as { readonly default: Flake }).default);
    else await main(known, pathToFileURL(flake).href);
  } finally {
    for (const action of restore) action();
  }
  return { code: Number(process.exitCode ?? 0), ...output };
}

let last: Promise<unknown> = Promise.resolve();
process.on("message", ({ id, request }: { readonly id: number; readonly request: Request }) => {
  last = last.then(async () => process.send?.({ id, finished: await run(request) }));
});
