import t from "tap";
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { planGraph, planLines, type ShownTask } from "#lib/cli/actions/plan-text.ts";
import { formatBytes, formatDuration } from "#lib/cli/printers/format.ts";
import { linesPrinter } from "#lib/cli/printers/lines.ts";
import { advance, downloadedBytes, initialProgress } from "#lib/cli/printers/progress.ts";
import type { EngineEvent } from "#lib/platform/events.ts";
import { processesWith } from "../build/host.ts";
import { makeToolRoot } from "../build/tool-root.ts";
import { root } from "./rig.ts";

// Where a CI machine says what it is, ink draws nothing before the end. It looks once, when it is loaded.
for (const name of ["CI", "CONTINUOUS_INTEGRATION"]) delete process.env[name];
const { lastRows, livePrinter, oneRow } = await import("#lib/cli/printers/live.tsx");

const recorded: readonly EngineEvent[] = [
  { type: "plan", builds: 2, fetches: 2, downloadBytes: 3 * 1024 * 1024 },
  { type: "build-started", derivation: "/a.drv", name: "a.deb", pool: "fetch" },
  { type: "fetch-started", name: "a.deb", bytes: 1024 },
  { type: "fetch-progress", name: "a.deb", bytes: 512 },
  { type: "fetch-retry", name: "a.deb", url: "http://127.0.0.1/a.deb", reason: "HTTP 503" },
  { type: "fetch-finished", name: "a.deb", bytes: 1024, url: "http://127.0.0.1/a.deb" },
  { type: "build-finished", derivation: "/a.drv", name: "a.deb", pool: "fetch", outcome: "built", milliseconds: 5 },
  { type: "build-started", derivation: "/tools.drv", name: "tools", pool: "build" },
  { type: "build-log", derivation: "/tools.drv", name: "tools", line: "unpacking" },
  {
    type: "build-finished",
    derivation: "/tools.drv",
    name: "tools",
    pool: "build",
    outcome: "built",
    milliseconds: 1500,
  },
  { type: "build-started", derivation: "/image.drv", name: "image", pool: "build" },
  {
    type: "build-finished",
    derivation: "/image.drv",
    name: "image",
    pool: "build",
    outcome: "failed",
    milliseconds: 65_000,
  },
  { type: "warning", message: "the disk is nearly full" },
];

t.test("plain output has starts, ends and failures, and one line for many downloads", async (t) => {
  let text = "";
  const printer = linesPrinter({ write: (part: string) => (text += part) });
  for (const event of recorded) printer.emit(event);
  printer.close();
  t.equal(
    text,
    `to do: 2 downloads (3.0 MiB), 2 builds
retrying a.deb: HTTP 503 (http://127.0.0.1/a.deb)
downloaded 1 file, 1.0 KiB
building tools
built tools in 1.5 s
building image
failed image after 1 min 05 s
warning: the disk is nearly full
`,
  );
});

t.test("the live display's state follows from the events alone", async (t) => {
  const states = [initialProgress];
  for (const event of recorded) states.push(advance(states.at(-1) ?? initialProgress, event));
  t.equal(downloadedBytes(states[4] ?? initialProgress), 512, "parts count while they arrive");
  t.strictSame([...(states[9]?.running.values() ?? [])], [{ name: "tools", phase: undefined, lastLine: "unpacking" }]);
  const last = states.at(-1);
  t.strictSame(
    [last?.builds, last?.fetches, last?.running.size],
    [{ done: 1, failed: 1 }, { done: 1, bytes: 1024 }, 0],
  );
  t.strictSame(recorded.reduce(advance, initialProgress), last, "replayed, it is the same");
});

t.test("a terminal that becomes narrower is drawn anew, with what still fits of what has scrolled by", async (t) => {
  const terminal = Object.assign(new EventEmitter(), { columns: 80, rows: 10, isTTY: true, text: "" });
  const write = (text: string) => ((terminal.text += text), true);
  const printer = livePrinter(Object.assign(terminal, { write }) as unknown as NodeJS.WriteStream);
  for (const event of recorded.slice(0, 9)) printer.emit(event);
  await delay(300);
  terminal.text = "";
  for (const columns of [100, 60]) {
    terminal.columns = columns;
    terminal.emit("resize");
    const anew = terminal.text.replaceAll("\u001B", "^").replace(/(?:\^\[2K(?:\^\[1B)?)+/, "<rows>");
    t.equal(/\^\[H<rows>\^\[Hto do: .*\nretrying a\.deb/.test(anew), columns === 60, anew);
  }
  printer.close();
  t.equal(terminal.listenerCount("resize"), 0);
  t.strictSame(lastRows(["a", "b".repeat(25), "c"], 4, 10), ["b".repeat(25), "c"]);
  t.strictSame(lastRows(["a", "b".repeat(25), "c"], 3, 10), ["c"]);
  t.strictSame([lastRows(["a"], 0, 10), lastRows(["a"], 9, 10), lastRows([], 9, 10)], [[], ["a"], []]);
});

t.test("a phase that the builder also prints is shown once", async (t) => {
  const terminal = Object.assign(new EventEmitter(), { columns: 80, rows: 10, isTTY: true, text: "" });
  const write = (text: string) => ((terminal.text += text), true);
  const printer = livePrinter(Object.assign(terminal, { write }) as unknown as NodeJS.WriteStream);
  const build = { derivation: "/nix/store/a-image.drv", name: "image" };
  printer.emit({ type: "build-started", ...build, pool: "build" });
  printer.emit({ type: "build-phase", ...build, phase: "disk" });
  printer.emit({ type: "build-log", ...build, line: "disk" });
  while (!terminal.text.includes("disk")) await delay(20);
  printer.close();
  t.match(terminal.text, /image.* disk/);
  t.notMatch(terminal.text, /disk.*disk/);
});

t.test("sizes and durations are short and have units", async (t) => {
  t.strictSame([0, 17, 1023, 1024, 1536, 50 * 1024 ** 2, 3 * 1024 ** 4].map(formatBytes), [
    "0 B",
    "17 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "50 MiB",
    "3.0 TiB",
  ]);
  t.strictSame([0, 420, 3400, 125_000].map(formatDuration), ["0 ms", "420 ms", "3.4 s", "2 min 05 s"]);
});

t.test("a builder's line cannot disturb the live display", async (t) => {
  const lines = ["plain", "a\tb", "10 %\r 20 %\r\n", "\u001b[31mred\u001b[m \u001b[2Jcleared", "\u0007bell\u0000"];
  t.strictSame(lines.map(oneRow), ["plain", "a b", "20 %", "red cleared", "bell"]);
});

t.test("a plan is lines for people, and a graph for Graphviz", async (t) => {
  const tasks: readonly ShownTask[] = [
    {
      id: "core.init",
      module: "core",
      phase: "init",
      label: 'Unpack "tools"',
      after: [],
      state: "fetch",
      todo: [{ name: "a.deb", derivation: "/nix/store/a.drv", kind: "fetch", bytes: 2048, reasons: ["new"] }],
    },
    {
      id: "stage.render",
      module: "stage",
      phase: "render",
      label: "Render",
      after: ["core.init"],
      state: "build",
      todo: [
        { name: "stage", derivation: "/nix/store/s.drv", kind: "build", reasons: ["one", "two", "three", "four"] },
      ],
    },
  ];
  t.strictSame(planLines(tasks).split("\n"), [
    ' 1. core.init     fetch  Unpack "tools"',
    "      1 download, 2.0 KiB",
    " 2. stage.render  build  Render",
    "      stage: one; two; three; and 1 more",
    "Would build 1 derivation and download 2.0 KiB, unless an input turns out the same as before.",
    "",
  ]);
  t.equal(planLines([]), "Nothing to do: everything is in the store.\n");
  const graph = planGraph(tasks).split("\n");
  t.ok(
    graph.includes('  "core.init" [label="Unpack \\"tools\\"\\ncore:init\\nfetch", fillcolor=lightblue];'),
    graph.join("\n"),
  );
  t.ok(graph.includes('  "core.init" -> "stage.render";'));
});

const flakeText = (tools: string) => `
import { main } from "#lib/cli/main.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";

const tools = source({ path: ${JSON.stringify(tools)}, name: "tools" });
const step = (name, script) => derivation({ name, builder: "/bin/bash", args: ["-ec", script], env: { environment: tools } });
const flake = defineFlake({
  description: "A flake for a terminal",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: () => ({
    systems: {},
    packages: {
      quick: step("quick", "printf 'a\\\\tbell\\\\a and \\\\e[31mred\\\\e[m\\\\n'; sleep 0.5; echo > $out"),
      endless: step("endless", "echo sleeping; sleep 1000"),
    },
    checks: {},
  }),
});
export default flake;
await main(flake, import.meta.url);
`;

/** Runs a command in a terminal of its own; each step types something when the screen shows something. */
async function inTerminal(
  command: string,
  options: {
    readonly cwd: string;
    readonly columns?: number;
    readonly rows?: number;
    readonly steps?: readonly (readonly [when: string, typed: string])[];
  },
): Promise<{ readonly code: number | null; readonly screen: string; readonly milliseconds: number }> {
  const size = `stty cols ${options.columns ?? 80} rows ${options.rows ?? 24}`;
  const child = spawn("script", ["-qec", `${size}; exec ${command}`, "/dev/null"], {
    cwd: options.cwd,
    env: { ...process.env, TERM: "xterm-256color", SHELL: "/bin/sh", HELIOS_STORE: join(options.cwd, "store") },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let screen = "";
  let typedAt = performance.now();
  const steps = [...(options.steps ?? [])];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    const [step] = steps;
    if (step === undefined || !screen.includes(step[0])) return;
    steps.shift();
    typedAt = performance.now();
    child.stdin.write(step[1]);
  });
  // A screen that does not come to what is waited for is shown by the assertions.
  const stuck = setTimeout(() => child.kill(), 25_000);
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(stuck);
  return { code, screen, milliseconds: performance.now() - typedAt };
}

/** What hides the cursor, and what shows it. */
const [hide, show] = ["\u001b[?25l", "\u001b[?25h"];

// Each of these resolves, downloads and builds on its own.
t.setTimeout(120_000);

t.test("the live display", async (t) => {
  const tools = await makeToolRoot();
  t.teardown(tools.remove);
  const directory = t.testdir({ "flake.ts": flakeText(tools.path) });
  const helios = `"${process.execPath}" --import="${join(root, "node_modules/tsx/dist/esm/index.mjs")}" flake.ts`;

  await t.test("shows builds in one row each, and leaves results below it", async (t) => {
    const { code, screen } = await inTerminal(`${helios} build .#quick --no-link`, { cwd: directory, columns: 30 });
    t.equal(code, 0, screen);
    t.match(screen, "▸ quick");
    t.match(screen, "a bell and red");
    t.notMatch(screen, "\u0007");
    const result = screen.lastIndexOf(`${directory}/store/nix/store/`);
    t.ok(result > screen.lastIndexOf("\u001b[2K"), "nothing is erased after the result");
    t.ok(screen.lastIndexOf(show) > screen.lastIndexOf(hide), "the cursor is there");
  });

  await t.test("gives way to plain lines on a terminal that tells no size", async (t) => {
    const { code, screen } = await inTerminal(`${helios} build .#quick --rebuild --no-link`, {
      cwd: directory,
      columns: 0,
      rows: 0,
    });
    t.equal(code, 0, screen);
    t.match(screen, "building quick\r\n");
    t.notMatch(screen, "\u001b[", "nothing is drawn");
  });

  await t.test("ends at once at Ctrl-C, with the builds", async (t) => {
    const ended = await inTerminal(`${helios} build .#endless --no-link`, {
      cwd: directory,
      steps: [["sleeping", "\u0003"]],
    });
    t.equal(ended.code, 130, ended.screen);
    t.match(ended.screen, "interrupted");
    t.ok(ended.milliseconds < 5000, `${Math.round(ended.milliseconds)} ms`);
    t.ok(ended.screen.lastIndexOf(show) > ended.screen.lastIndexOf(hide), "the cursor is there");
    t.strictSame(await processesWith(`${directory}/store`), []);
  });

  await t.test("makes way for the shell of --shell", async (t) => {
    const shell = await inTerminal(`${helios} build .#quick --shell`, {
      cwd: directory,
      steps: [["deleted when you leave", "echo in:$PWD:$environment:$out; exit 0\n"]],
    });
    t.equal(shell.code, 0, shell.screen);
    t.match(shell.screen, /in:\/build:\/nix\/store\/\w+-tools:\/nix\/store\/\w+-quick/);
  });
});
