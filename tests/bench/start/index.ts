/**
 * What it takes to start: commands that have nothing to build, beside the start of Node with tsx in the same run, and
 * the evaluation of helios-cm5. Each is the best of several fresh processes, taken in turns. `build` needs an image
 * that is built already; it is built first.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");
const flake = join(root, "flake.ts");
const image = ".#helios-cm5";
const rounds = Number(process.argv[2] ?? 7);

/** Runs a program to its end; milliseconds, and what it printed. */
async function run(program: string, args: readonly string[]): Promise<{ milliseconds: number; output: string }> {
  const started = performance.now();
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with exit code ${code}`);
  return { milliseconds: performance.now() - started, output };
}

const node = (...args: string[]) => run(process.execPath, ["--import=tsx", ...args]);
const evaluate = join(import.meta.dirname, "evaluate.ts");

/** Name, what to run, and the most it may take: beyond the start of Node, or in all. */
const measured: readonly {
  readonly name: string;
  readonly run: () => Promise<number>;
  readonly limit?: number;
}[] = [
  { name: "node with tsx", run: async () => (await node("-e", "0")).milliseconds },
  { name: "evaluating helios-cm5", run: async () => Number((await node(evaluate)).output), limit: 300 },
  { name: "show", run: async () => (await node(flake, "show")).milliseconds },
  {
    name: "eval of an option",
    run: async () => (await node(flake, "eval", ".#systems.helios-cm5.config.networking.hostName")).milliseconds,
  },
  { name: "build of nothing", run: async () => (await node(flake, "build", image, "--no-link")).milliseconds },
  {
    name: "the same by npx",
    run: async () => (await run("npx", ["tsx", "flake.ts", "build", image, "--no-link"])).milliseconds,
    limit: 2000,
  },
];

await node(flake, "build", image, "--no-link");
const best = measured.map(() => Infinity);
for (let round = 0; round < rounds; round++) {
  for (const [index, { run }] of measured.entries()) best[index] = Math.min(best[index] ?? Infinity, await run());
}
const [start = 1] = best;
console.log(`${"".padEnd(24)}${"ms".padStart(8)}${"of node's start".padStart(18)}${"of its limit".padStart(15)}`);
for (const [index, { name, limit }] of measured.entries()) {
  const time = best[index] ?? 0;
  const ratio = `${(time / start).toFixed(2)}x`;
  const share = limit === undefined ? "" : `${(time / limit).toFixed(2)}x`;
  console.log(`${name.padEnd(24)}${time.toFixed(0).padStart(8)}${ratio.padStart(18)}${share.padStart(15)}`);
}
