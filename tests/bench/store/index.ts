/**
 * Measures the store, beside real Nix where there is one on the PATH:
 *
 *     npm run bench -- store [part of a name …]
 *
 * Prints seconds of CPU and wall time, and their ratios to Nix's. Each figure is the least of some rounds, in which
 * ours and Nix's take turns, so that a busy machine disturbs both alike; each round is a fresh process. What runs is plain
 * JavaScript in one bundle, as an embedding program would ship it, unless a line says that it is the sources by tsx. What
 * Node, or Node with tsx, takes to start before anything of ours is loaded is stated once and not counted. The floor is
 * what Node itself takes for the system calls and the hash alone (`floor.ts`). Without Nix the ratio is to what was
 * measured with 2.34.8 on a comparable machine.
 */
import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { deleteTree } from "#lib/store/tree.ts";
import { testBubblewrap } from "../../../scripts/pinned-bubblewrap.ts";
import { makeToolRoot } from "../../build/tool-root.ts";
import { bubblewrapVariable } from "./build-all.ts";
import { type Measurement, measurementsIn } from "./measurements.ts";

interface Figures {
  /** Seconds. */
  readonly cpu: number;
  readonly wall: number;
  /** MiB. */
  readonly peak?: number;
}

const nix = ((): string | undefined => {
  try {
    return execFileSync("nix", ["--version"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
})();
const bubblewrap = await testBubblewrap();
const env = {
  ...process.env,
  ...(bubblewrap.command !== undefined && { [bubblewrapVariable]: JSON.stringify(bubblewrap.command) }),
};
/** A terminal leaves no descriptors open, and what does would be closed for each build. */
const closeOthers = 'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ $fd -le 2 ] || eval "exec $fd>&-"; done';

function shell(command: string): Figures {
  const script = `${closeOthers}; TIMEFORMAT='%U %S %R'; { time { ${command}; } >/dev/null 2>&1; } 2>&1`;
  const output = execFileSync("bash", ["-c", script], { encoding: "utf8", env });
  const [user = 0, system = 0, wall = 0] = output.trim().split(" ").map(Number);
  return { cpu: user + system, wall };
}

const least = (rounds: readonly Figures[]): Figures => ({
  cpu: Math.min(...rounds.map(({ cpu }) => cpu)),
  wall: Math.min(...rounds.map(({ wall }) => wall)),
  peak: Math.max(...rounds.map(({ peak = 0 }) => peak)),
});

const work = nodeFs.mkdtempSync(join(tmpdir(), "store-bench-"));
const tools = await makeToolRoot();
const bundle = join(work, "bundle");
await build({
  entryPoints: ["one.ts", "builds.ts"].map((name) => join(import.meta.dirname, name)),
  outdir: bundle,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
});
const startOf = (options: string): Figures =>
  least([0, 1, 2, 3, 4].map(() => shell(`${process.execPath} ${options} -e 0`)));
const start = { bundle: startOf(""), tsx: startOf("--import=tsx") };

function ours({ name, ours, tsx = false }: Measurement): Figures {
  if (typeof ours !== "function") {
    const program = tsx ? `--import=tsx ${join(import.meta.dirname, "builds.ts")}` : join(bundle, "builds.mjs");
    const { cpu, wall } = shell(`${process.execPath} ${program} ${ours.join(" ")}`);
    const own = tsx ? start.tsx : start.bundle;
    return { cpu: cpu - own.cpu, wall: wall - own.wall };
  }
  const args = [join(bundle, "one.mjs"), work, tools.path, name];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", env })) as Figures;
}

const usualRounds = 5;
const wanted = process.argv.slice(2);
const pad = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(3)).padStart(9);
console.log(nix === undefined ? "no nix on the PATH: ratios are to recorded figures of 2.34.8" : `beside ${nix}`);
console.log(`start of Node: ${start.bundle.cpu.toFixed(3)} s of CPU; with tsx: ${start.tsx.cpu.toFixed(3)} s`);
console.log(`${"".padEnd(56)}      cpu     wall  nix cpu nix wall   of cpu  of wall  peak MiB`);
try {
  for (const measurement of measurementsIn(work, tools.path)) {
    const { name, prepare, nix: command, recorded, rounds = usualRounds } = measurement;
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    const [mine, theirs]: [Figures[], Figures[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      await prepare?.();
      mine.push(ours(measurement));
      if (nix !== undefined && command !== undefined) theirs.push(shell(command));
    }
    const { cpu, wall, peak } = least(mine);
    const real = theirs.length === 0 ? undefined : least(theirs);
    const base = real?.cpu ?? recorded;
    console.log(
      `${name.padEnd(56)}${pad(cpu)}${pad(wall)}${pad(real?.cpu)}${pad(real?.wall)}` +
        `${pad(base === undefined ? undefined : cpu / base)}${pad(real === undefined ? undefined : wall / real.wall)}` +
        `${peak === 0 ? "         -" : peak?.toFixed(0).padStart(10)}`,
    );
  }
} finally {
  await bubblewrap.remove();
  await tools.remove();
  await deleteTree(nodeFs, work);
}
