import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

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
