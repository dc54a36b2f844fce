import t from "tap";
import { planGraph, planLines, type ShownTask } from "#lib/cli/actions/plan-text.ts";
import type { EngineEvent } from "#lib/platform/events.ts";
import { formatBytes, formatDuration } from "#lib/cli/printers/format.ts";
import { oneRow } from "#lib/cli/printers/live.tsx";
import { linesPrinter } from "#lib/cli/printers/lines.ts";
import { advance, downloadedBytes, initialProgress } from "#lib/cli/printers/progress.ts";

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
