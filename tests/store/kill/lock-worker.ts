/**
 * Takes one lock again and again, and most times leaves it behind as a dead process does, for the test of breaking:
 *
 *     node --import=tsx lock-worker.ts <directory of locks> <directory of its own> <rounds>
 *
 * Prints `ready`, waits for a line, and prints at the end how often somebody else was inside as well.
 */
import { once } from "node:events";
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { uniqueName } from "#lib/store/atomic-file.ts";
import { LockFiles } from "#lib/store/lock-files.ts";

const [locks = "", own = "", rounds = ""] = process.argv.slice(2);
const lockFiles = new LockFiles(nodeFs, locks, own);
const inside = join(locks, "inside");
/** The name of a process that does not run: there are no process numbers beyond 2^22. */
const deadName = async (): Promise<string> => (await uniqueName()).replace(/^\d+/, "4194305");

process.stdout.write("ready\n");
await once(process.stdin, "data");
let violations = 0;
for (let round = 0; round < Number(rounds); round++) {
  while (!(await lockFiles.take("contested"))) await sleep(Math.random() * 2);
  try {
    nodeFs.writeFileSync(inside, "", { flag: "wx" });
  } catch {
    violations += 1;
  }
  if (round % 4 === 0) await sleep(1);
  nodeFs.rmSync(inside, { force: true });
  if (round % 8 === 7) {
    await lockFiles.release("contested");
    continue;
  }
  // Some died while they removed the lock of another one.
  if (round % 2 === 0) nodeFs.writeFileSync(join(locks, `${await deadName()}.claim`), "");
  const draft = join(own, `draft-${round}`);
  nodeFs.writeFileSync(draft, await deadName());
  nodeFs.renameSync(draft, lockFiles.file("contested"));
}
await lockFiles.close();
process.stdout.write(`violations ${violations}\n`);
process.exit();
