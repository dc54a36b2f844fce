/**
 * Runs the tests: `npm test`, or `npm test -- tests/store/*.test.ts`.
 *
 * Some of them build in the real sandbox. On a machine without bubblewrap they
 * get the pinned one, in a place that ordinary users can read, since the tests
 * of the sandbox also run as one.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmod, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bubblewrapCommand } from "#pkgs/bubblewrap.ts";

const root = resolve(import.meta.dirname, "..");
const env: NodeJS.ProcessEnv = { ...process.env };

/** A program that runs the pinned bubblewrap, in a directory of its own. */
async function pinnedBubblewrap(directory: string): Promise<string> {
  const built = spawnSync(
    process.execPath,
    ["--import=tsx", join(root, "flake.ts"), "build", ".#bubblewrap", "--no-link", "--json"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (built.status !== 0) throw new Error("the pinned bubblewrap could not be built");
  const [{ outputs }] = JSON.parse(built.stdout) as [{ readonly outputs: { readonly out: { readonly file: string } } }];
  const tree = join(directory, "tree");
  await cp(outputs.out.file, tree, { recursive: true, verbatimSymlinks: true });
  const { command, args } = bubblewrapCommand(tree);
  const program = join(directory, "bwrap");
  await writeFile(program, `#!/bin/sh\nexec ${[command, ...args].map((word) => `'${word}'`).join(" ")} "$@"\n`);
  await chmod(program, 0o755);
  return program;
}

const missing = env["HELIOS_BWRAP"] === undefined && spawnSync("bwrap", ["--version"]).status !== 0;
const directory = missing ? await mkdtemp(join(tmpdir(), "helios-tests-")) : undefined;
if (directory !== undefined) {
  await chmod(directory, 0o755);
  env["HELIOS_BWRAP"] = await pinnedBubblewrap(directory);
}
const tap = spawn(process.execPath, [join(root, "node_modules/tap/dist/esm/run.mjs"), ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: "inherit",
});
process.exitCode = await new Promise<number>((done) => tap.on("close", (code) => done(code ?? 1)));
if (directory !== undefined) {
  spawnSync("chmod", ["-R", "u+w", directory]);
  await rm(directory, { recursive: true, force: true });
}
