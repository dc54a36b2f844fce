/**
 * Runs the tests: `npm test`, or `npm test -- tests/store/*.test.ts`.
 *
 * Some of them build in the real sandbox; on a machine without bubblewrap they get the pinned one.
 */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { testBubblewrap } from "./pinned-bubblewrap.ts";

const root = resolve(import.meta.dirname, "..");
const bubblewrap = await testBubblewrap();
const tap = spawn(process.execPath, [join(root, "node_modules/tap/dist/esm/run.mjs"), ...process.argv.slice(2)], {
  cwd: root,
  env: { ...process.env, ...(bubblewrap.program !== undefined && { HELIOS_BWRAP: bubblewrap.program }) },
  stdio: "inherit",
});
process.exitCode = await new Promise<number>((done) => tap.on("close", (code) => done(code ?? 1)));
await bubblewrap.remove();
