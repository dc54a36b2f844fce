/**
 * The evaluator against Nix: CPU seconds and peak memory of the module sets A,
 * B and C, each in a fresh process, from its start to its end. The peer is
 * `nix-instantiate` in the same run, when it is on the PATH and NIXPKGS_LIB
 * names nixpkgs' lib; else the figures measured with nix 2.34.8
 * (nix-baseline §4.2).
 *
 * What is timed is plain JavaScript in one file, as an embedding program would
 * ship it, with the settings of a short-lived process (`settings` below). The
 * same through tsx, with node's own settings, is printed beside it.
 */
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { build } from "esbuild";
import { oracle } from "./sets.ts";
import { writeNixA, writeNixB } from "./nix.ts";
import { writeTypedModules } from "./types.ts";

const root = resolve(import.meta.dirname, "../../..");

/**
 * Code is optimised after running eight times as long as usual, and the heap is not collected before it holds 32 MiB:
 * half a second is too short for either to pay.
 */
const settings = ["--interrupt-budget=1000000", "--min-semi-space-size=32", "--max-semi-space-size=32"];

interface Finished {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
  /** CPU seconds and peak MiB, as the kernel counts them. */
  readonly cpu: number;
  readonly memory: number;
}

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

/** What node would do at every start on behalf of the machine at hand, such as reading more certificates. */
const { NODE_EXTRA_CA_CERTS: _certificates, NODE_OPTIONS: _options, ...environment } = process.env;

/** Runs a program to its end. */
async function run(program: string, args: readonly string[], cwd?: string): Promise<Finished> {
  // resourceUsage of ended children is only summed up, so each runs below a process of its own that reports it.
  const timed = [
    "-c",
    [
      "import json,resource,subprocess,sys,tempfile",
      // Into files: a full pipe would make programs wait or fail.
      "o,e=tempfile.TemporaryFile('w+'),tempfile.TemporaryFile('w+')",
      // A python that is a shell script in truth has children of its own already.
      "b=resource.getrusage(resource.RUSAGE_CHILDREN)",
      "c=subprocess.run(sys.argv[1:],stdout=o,stderr=e).returncode",
      "u=resource.getrusage(resource.RUSAGE_CHILDREN)",
      "o.seek(0);e.seek(0)",
      "print(json.dumps(dict(code=c,output=o.read(),errors=e.read(),cpu=u.ru_utime+u.ru_stime-b.ru_utime-b.ru_stime,memory=u.ru_maxrss/1024)))",
    ].join("\n"),
  ];
  const child = spawn("python3", [...timed, program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  return JSON.parse(Buffer.concat(chunks).toString()) as Finished;
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

/** Whether this is what Nix gives; only the whole of the sets A and B has a known result. */
function isCorrect(args: readonly string[], output: string): boolean {
  const [set = "", size = "", mode = "all"] = args;
  const expected = mode === "one" ? undefined : oracle[`${set}-${size}`];
  return expected === undefined || expected === createHash("sha256").update(output.trimEnd()).digest("hex");
}

async function measure(program: readonly string[], args: readonly string[], times = 3): Promise<Measured> {
  const all: Measured[] = [];
  for (let n = 0; n < times; n++) {
    const { code, output, errors, cpu, memory } = await run(process.execPath, [...program, ...args]);
    if (code !== 0) throw new Error(errors);
    const parts = JSON.parse(errors) as Omit<Measured, "total" | "memory" | "correct">;
    all.push({ ...parts, total: cpu, memory, correct: isCorrect(args, output) });
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
): Promise<{ readonly cpu: number; readonly memory: number; readonly version: string } | undefined> {
  const nix = await onPath("nix-instantiate");
  const lib = process.env["NIXPKGS_LIB"];
  if (nix === undefined || lib === undefined) return undefined;
  const version = (await run(nix, ["--version"])).output.trim().split(" ").at(-1) ?? "";
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
  const runs: Finished[] = [];
  for (let n = 0; n < 3; n++) runs.push(await run(nix, ["--eval", "--strict", "--json", file]));
  const wrong = runs.find((each) => each.code !== 0 || !isCorrect(goal.args, each.output));
  if (wrong !== undefined) throw new Error(`nix-instantiate on ${goal.name}: ${wrong.errors || "another result"}`);
  return { version, cpu: median(runs.map((each) => each.cpu)), memory: median(runs.map((each) => each.memory)) };
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
  const script = join(work, "run.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "run.ts")],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "cjs",
    minify: true,
    define: { "import.meta.url": "__filename" },
    external: ["ajv", "@iarna/toml"],
    logLevel: "error",
  });
  const costs = new Map<string, number>();
  const shipped = [...settings, script];
  process.stdout.write(
    `CPU seconds of whole processes, peak memory, ratio to nix; one file of JavaScript, node ${settings.join(" ")}\n`,
  );
  for (const goal of goals) {
    const measured = await measure(shipped, goal.args);
    const peer = await nixPeer(goal, work);
    const { cpu, memory } = peer ?? goal.nix;
    const [ratio, memoryRatio] = [measured.total / cpu, measured.memory / memory];
    costs.set(goal.name, measured.generated + measured.cold);
    const ok = measured.correct && ratio <= goal.cpu && memoryRatio <= (goal.memory ?? Infinity);
    const limit = goal.cpu === Infinity ? "" : ` (goal ${goal.cpu})`;
    const memoryLimit = goal.memory === undefined ? "" : ` (goal ${goal.memory})`;
    const recorded = `${(measured.total / goal.nix.cpu).toFixed(2)}× 2.34.8 as recorded`;
    report(
      ok,
      `${goal.name.padEnd(22)} ${seconds(measured.total)} = start ${measured.loaded.toFixed(3)} + modules ${measured.generated.toFixed(3)} + evaluation ${measured.cold.toFixed(3)} + end; ${peer === undefined ? recorded : `${ratio.toFixed(2)}× nix ${peer.version} in this run`}${limit}${peer === undefined ? "" : `, ${recorded}`}; ${measured.memory.toFixed(0)} MiB, ${memoryRatio.toFixed(2)}×${memoryLimit}${measured.correct ? "" : "; WRONG RESULT"}`,
    );
  }
  const plain = await measure([script], ["A", "10000"]);
  const transformed = await measure(["--import=tsx", join(import.meta.dirname, "run.ts")], ["A", "10000"]);
  report(
    plain.correct && transformed.correct,
    `A-10000                ${seconds(plain.total)} with node's own settings, ${seconds(transformed.total)} so and through tsx`,
  );
  const { incremental = Number.NaN, cold } = await measure(shipped, ["A", "50000", "change"]);
  report(
    incremental / cold <= 0.05,
    `A-50000, one changed   ${seconds(incremental)}; ${(incremental / cold).toFixed(3)}× its cold evaluation (goal 0.05)`,
  );
  const chain = await measure(shipped, ["C", "100000"], 1);
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
