/**
 * The evaluator against Nix: CPU seconds and peak memory of the module sets A,
 * B and C, each in a fresh process. The peer is `nix-instantiate` in the same
 * run, when it is on the PATH and NIXPKGS_LIB names nixpkgs' lib; else the
 * figures measured with nix 2.34.8 (nix-baseline §4.2).
 *
 * What is timed is plain JavaScript, bundled once: the price of starting node
 * is in, that of stripping types is not.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { build } from "esbuild";
import { writeNixA, writeNixB } from "./nix.ts";
import { writeTypedModules } from "./types.ts";

const root = resolve(import.meta.dirname, "../../..");

interface Measured {
  readonly loaded: number;
  readonly generated: number;
  readonly cold: number;
  readonly total: number;
  readonly memory: number;
  readonly correct: boolean;
  readonly incremental?: number;
}

interface Goal {
  readonly name: string;
  readonly args: readonly string[];
  /** CPU seconds and MiB of nix 2.34.8 on the machine of the research. */
  readonly nix: { readonly cpu: number; readonly memory: number };
  readonly cpu: number;
  readonly memory?: number;
}

const goals: readonly Goal[] = [
  { name: "A-1000", args: ["A", "1000"], nix: { cpu: 0.067, memory: 37 }, cpu: Infinity },
  { name: "A-10000", args: ["A", "10000"], nix: { cpu: 0.5, memory: 128 }, cpu: 0.5 },
  { name: "A-50000", args: ["A", "50000"], nix: { cpu: 2.3, memory: 530 }, cpu: 0.3, memory: 0.6 },
  { name: "B-1000", args: ["B", "1000"], nix: { cpu: 0.48, memory: 152 }, cpu: Infinity },
  { name: "B-10000", args: ["B", "10000"], nix: { cpu: 6.9, memory: 924 }, cpu: 0.1, memory: 0.4 },
  { name: "one option of A-10000", args: ["A", "10000", "one"], nix: { cpu: 0.27, memory: 71 }, cpu: 0.3 },
];

/** Runs a program to its end; its output, and its CPU seconds and peak memory as the kernel counts them. */
async function run(
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<{ readonly code: number; readonly output: string; readonly cpu: number; readonly memory: number }> {
  // resourceUsage of ended children is only summed up, so each runs below a process of its own that reports it.
  const timed = [
    "-c",
    'import resource,subprocess,sys\np=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE,stderr=subprocess.STDOUT)\nu=resource.getrusage(resource.RUSAGE_CHILDREN)\nsys.stdout.buffer.write(p.stdout)\nprint("\\n%f %f" % (u.ru_utime+u.ru_stime, u.ru_maxrss/1024))\nsys.exit(p.returncode)',
  ];
  const child = spawn("python3", [...timed, program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number];
  const lines = Buffer.concat(chunks).toString().trimEnd().split("\n");
  const [cpu = Number.NaN, memory = Number.NaN] = (lines.pop() ?? "").split(" ").map(Number);
  return { code, output: lines.join("\n"), cpu, memory };
}

async function onPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(directory, name);
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function measure(script: string, args: readonly string[], times = 3): Promise<Measured> {
  const all: Measured[] = [];
  for (let n = 0; n < times; n++) {
    const { code, output } = await run(process.execPath, [script, ...args]);
    if (code !== 0) throw new Error(output);
    all.push(JSON.parse(output.split("\n").findLast((line) => line.startsWith("{")) ?? "") as Measured);
  }
  const middle = (pick: (each: Measured) => number): number => median(all.map(pick));
  return {
    loaded: middle((each) => each.loaded),
    generated: middle((each) => each.generated),
    cold: middle((each) => each.cold),
    total: middle((each) => each.total),
    memory: middle((each) => each.memory),
    correct: all.every((each) => each.correct),
    incremental: middle((each) => each.incremental ?? Number.NaN),
  };
}

async function nixPeer(
  goal: Goal,
  directory: string,
): Promise<{ readonly cpu: number; readonly memory: number } | undefined> {
  const nix = await onPath("nix-instantiate");
  const lib = process.env["NIXPKGS_LIB"];
  if (nix === undefined || lib === undefined) return undefined;
  const [set = "", size = "", mode] = goal.args;
  const target = join(directory, goal.name.replaceAll(" ", "-"));
  const options = Number(size);
  const file =
    set === "A"
      ? await writeNixA(
          target,
          lib,
          options,
          Math.max(10, options / 100),
          mode === "one" ? "config.g50.o5005" : "config",
        )
      : await writeNixB(target, lib, options);
  const runs: { readonly cpu: number; readonly memory: number }[] = [];
  for (let n = 0; n < 3; n++) runs.push(await run(nix, ["--eval", "--strict", "--json", file]));
  return { cpu: median(runs.map((each) => each.cpu)), memory: median(runs.map((each) => each.memory)) };
}

const work = await mkdtemp(join(tmpdir(), "bench-evaluator-"));
const typed = join(root, "tests", ".bench-types");
let failed = false;
const report = (ok: boolean, line: string): void => {
  failed ||= !ok;
  process.stdout.write(`${ok ? "  " : "! "}${line}\n`);
};
const seconds = (value: number): string => `${value.toFixed(3)} s`;

try {
  const script = join(work, "run.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "run.ts")],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    minifyWhitespace: true,
    external: ["ajv", "@iarna/toml"],
    logLevel: "error",
  });
  const costs = new Map<string, number>();
  process.stdout.write("CPU seconds (node start-up included), peak memory, ratio to nix\n");
  for (const goal of goals) {
    const measured = await measure(script, goal.args);
    const peer = await nixPeer(goal, work);
    const { cpu, memory } = peer ?? goal.nix;
    const [ratio, memoryRatio] = [measured.total / cpu, measured.memory / memory];
    costs.set(goal.name, measured.generated + measured.cold);
    const ok = measured.correct && ratio <= goal.cpu && memoryRatio <= (goal.memory ?? Infinity);
    const limit = goal.cpu === Infinity ? "" : ` (goal ${goal.cpu})`;
    const memoryLimit = goal.memory === undefined ? "" : ` (goal ${goal.memory})`;
    report(
      ok,
      `${goal.name.padEnd(22)} ${seconds(measured.total)} = start ${measured.loaded.toFixed(3)} + modules ${measured.generated.toFixed(3)} + evaluation ${measured.cold.toFixed(3)}; ${ratio.toFixed(2)}× ${peer === undefined ? "nix 2.34.8 as researched" : "nix in this run"}${limit}; ${measured.memory.toFixed(0)} MiB, ${memoryRatio.toFixed(2)}×${memoryLimit}${measured.correct ? "" : "; WRONG RESULT"}`,
    );
  }
  const { incremental = Number.NaN, cold } = await measure(script, ["A", "50000", "change"]);
  report(
    incremental / cold <= 0.05,
    `A-50000, one changed   ${seconds(incremental)}; ${(incremental / cold).toFixed(3)}× its cold evaluation (goal 0.05)`,
  );
  const chain = await measure(script, ["C", "100000"], 1);
  report(true, `C-100000               ${seconds(chain.total)}; nix 2.34.8 ends at 1,999 links`);
  const exponent = Math.log((costs.get("A-50000") ?? 0) / (costs.get("A-1000") ?? 1)) / Math.log(50);
  report(
    exponent <= 1.15,
    `cost grows with the number of options to the power of ${exponent.toFixed(2)} (goal: linear)`,
  );

  await writeTypedModules(typed, 200);
  for (const [name, program] of [
    ["typescript", "typescript"],
    ["fast checker", "typescript-native"],
  ] as const) {
    const tsc = join(root, "node_modules", program, "bin", "tsc");
    if (
      (await access(tsc).then(
        () => true,
        () => false,
      )) === false
    )
      continue;
    const checked = await run(process.execPath, [tsc, "--noEmit", "-p", typed], root);
    const limit = program === "typescript" ? Infinity : 4;
    report(
      checked.code === 0 && checked.cpu <= limit,
      `types of 200 modules with 1,600 options: ${seconds(checked.cpu)} CPU with ${name}${limit === 4 ? " (goal 4 s)" : ""}${checked.code === 0 ? "" : `\n${checked.output.slice(0, 2000)}`}`,
    );
  }
} finally {
  await rm(work, { recursive: true, force: true });
  await rm(typed, { recursive: true, force: true });
  await mkdir(tmpdir(), { recursive: true });
}
process.exitCode = failed ? 1 : 0;
