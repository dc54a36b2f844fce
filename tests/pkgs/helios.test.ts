import { join } from "node:path";
import t from "tap";

const helios = join(import.meta.dirname, "../../pkgs/helios");

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
