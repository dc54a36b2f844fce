/**
 * Runs benchmarks: `npm run bench` all of them, `npm run bench -- store` one.
 *
 * Each is `tests/bench/<name>/index.ts`, run in a process of its own with the
 * remaining arguments; it prints its figures as ratios against a named peer.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

const benchmarks = resolve(import.meta.dirname, "../tests/bench");
const known = (await readdir(benchmarks, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();
const [wanted, ...args] = process.argv.slice(2);
if (wanted !== undefined && !known.includes(wanted)) {
  console.error(`There is no benchmark '${wanted}'. There are: ${known.join(", ")}.`);
  process.exit(2);
}
let failed = false;
for (const name of wanted === undefined ? known : [wanted]) {
  console.log(`# ${name}`);
  const child = spawn(process.execPath, ["--import=tsx", join(benchmarks, name, "index.ts"), ...args], {
    stdio: "inherit",
  });
  const [code] = (await once(child, "exit")) as [number | null];
  failed ||= code !== 0;
}
process.exit(failed ? 1 : 0);
