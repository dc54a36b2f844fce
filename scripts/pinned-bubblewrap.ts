import { spawnSync } from "node:child_process";
import { chmod, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BubblewrapCommand } from "#lib/build/sandbox/bubblewrap.ts";
import { bubblewrapCommand } from "#pkgs/bubblewrap.ts";

const root = resolve(import.meta.dirname, "..");

/** A bubblewrap for tests and benchmarks. */
export interface TestBubblewrap {
  /** For HELIOS_BWRAP; undefined if the machine has one of its own. */
  readonly program: string | undefined;
  /** The same without a shell around it, as `build` starts it. */
  readonly command: BubblewrapCommand | undefined;
  readonly remove: () => Promise<void>;
}

/**
 * On a machine without bubblewrap the pinned one, in a place that ordinary users can read, since the tests of the
 * sandbox also run as one.
 */
export async function testBubblewrap(): Promise<TestBubblewrap> {
  const there = process.env["HELIOS_BWRAP"] !== undefined || spawnSync("bwrap", ["--version"]).status === 0;
  if (there) return { program: undefined, command: undefined, remove: async () => {} };
  const directory = await mkdtemp(join(tmpdir(), "helios-bubblewrap-"));
  await chmod(directory, 0o755);
  return {
    ...(await pinnedBubblewrap(directory)),
    remove: async () => {
      spawnSync("chmod", ["-R", "u+w", directory]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The pinned bubblewrap, and a program that runs it, in a directory of its own. */
async function pinnedBubblewrap(directory: string): Promise<Pick<TestBubblewrap, "program" | "command">> {
  const built = spawnSync(
    process.execPath,
    ["--import=tsx", join(root, "flake.ts"), "build", ".#bubblewrap", "--no-link", "--json"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (built.status !== 0) throw new Error("the pinned bubblewrap could not be built");
  const [{ outputs }] = JSON.parse(built.stdout) as [{ readonly outputs: { readonly out: { readonly file: string } } }];
  const tree = join(directory, "tree");
  await cp(outputs.out.file, tree, { recursive: true, verbatimSymlinks: true });
  const command = bubblewrapCommand(tree);
  const program = join(directory, "bwrap");
  await writeFile(
    program,
    `#!/bin/sh\nexec ${[command.command, ...command.args].map((word) => `'${word}'`).join(" ")} "$@"\n`,
  );
  await chmod(program, 0o755);
  return { program, command };
}
