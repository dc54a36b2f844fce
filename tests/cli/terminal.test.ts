import { spawn } from "node:child_process";
import { join } from "node:path";
import t from "tap";
import { processesWith } from "../build/host.ts";
import { makeToolRoot } from "../build/tool-root.ts";
import { root } from "./rig.ts";

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
    readonly steps?: readonly (readonly [when: string, typed: string])[];
  },
): Promise<{ readonly code: number | null; readonly screen: string; readonly milliseconds: number }> {
  const { CI: _, ...env } = process.env; // A CI machine has no live display.
  const size = `stty cols ${options.columns ?? 80} rows 24`;
  const child = spawn("script", ["-qec", `${size}; exec ${command}`, "/dev/null"], {
    cwd: options.cwd,
    env: { ...env, TERM: "xterm-256color", SHELL: "/bin/sh", HELIOS_STORE: join(options.cwd, "store") },
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
