import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Command lines of processes of this machine, other than this one, that contain `marker`. */
export async function processesWith(marker: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return lines.filter((line) => line.includes(marker));
}

/** Why `asOrdinaryUser` would prove nothing here, or false. */
export const notRoot = process.getuid?.() !== 0 && "these tests run as an ordinary user already";

/** Runs a test file as nobody; gives its exit code and what it printed. */
export async function asOrdinaryUser(file: string): Promise<{ readonly code: number; readonly output: string }> {
  const nobody = 65534;
  const bubblewrap = process.env["HELIOS_BWRAP"];
  const child = spawn(process.execPath, ["--import=tsx", file], {
    uid: nobody,
    gid: nobody,
    cwd: join(import.meta.dirname, "../.."),
    env: {
      PATH: process.env["PATH"],
      HOME: "/nonexistent",
      TAP_TIMEOUT: "600",
      HELIOS_TEST_KILLS: "1",
      ...(bubblewrap === undefined ? {} : { HELIOS_BWRAP: bubblewrap }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  let output = "";
  for await (const chunk of child.stdout) output += String(chunk);
  return { code: await ended, output };
}
