import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";

const run = promisify(execFile);
const helios = join(import.meta.dirname, "../../pkgs/helios");
const hasCargo = await run("cargo", ["--version"]).then(
  () => true,
  () => false,
);

t.test(
  "HeliOS's programs pass their own tests",
  { skip: !hasCargo && "there is no cargo", timeout: 600_000 },
  async (t) => {
    const target = await mkdtemp(join(tmpdir(), "helios-cargo-"));
    t.teardown(() => rm(target, { recursive: true, force: true }));
    // Not into the source tree: it is an input of the image.
    const options = { cwd: join(helios, "backend"), env: { ...process.env, CARGO_TARGET_DIR: target } };
    const flags = ["--workspace", "--offline", "--locked", "--quiet"];
    // The engine's tests load the plugins, which `cargo test` alone does not build.
    await t.resolves(run("cargo", ["build", ...flags], options));
    const { stdout } = await run("cargo", ["test", ...flags], options).catch((error: { stdout: string }) => error);
    const results = stdout.split("\n").filter((line) => line.startsWith("test result:"));
    t.ok(results.length >= 10, stdout);
    for (const result of results) t.match(result, /^test result: ok/, stdout);
  },
);

interface State {
  bytes(count: number): string;
  duration(seconds: number): string;
  sections(state: object): { title: string; failed: boolean; rows: [string, string][] }[];
  summary(state: object): string;
}

t.test("the frontend words what the system answers", async (t) => {
  const state = (await import(join(helios, "frontend/state.js"))) as State;
  t.equal(state.bytes(512), "512 B");
  t.equal(state.bytes(1536), "1.5 KiB");
  t.equal(state.duration(42.9), "42 s");
  t.equal(state.duration(90_061), "1 d 1 h 1 min");
  const answer = {
    system: { hostname: "helios", memoryTotalBytes: 2 ** 30, load: [0.5, 1, 2], uptimeSeconds: 120 },
    engine: { plugins: [{ name: "led" }, { name: "nt4" }], uptimeMicroseconds: 3_000_000 },
    updater: { image: { name: "HeliOS v1", id: null } },
    peripherals: { error: "no socket" },
  };
  t.equal(state.summary(answer), "HeliOS v1: no answer from peripherals.");
  t.strictSame(state.sections(answer), [
    {
      title: "System",
      failed: false,
      rows: [
        ["hostname", "helios"],
        ["memory total", "1.0 GiB"],
        ["load", "0.5, 1, 2"],
        ["uptime", "2 min"],
      ],
    },
    {
      title: "Engine",
      failed: false,
      rows: [
        ["plugins", "led, nt4"],
        ["uptime", "3 s"],
      ],
    },
    {
      title: "Updater",
      failed: false,
      rows: [
        ["image name", "HeliOS v1"],
        ["image id", "unknown"],
      ],
    },
    { title: "Peripherals", failed: true, rows: [["error", "no socket"]] },
  ]);
});
