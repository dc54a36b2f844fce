import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t from "tap";
import type { StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Store, type StoreShape } from "#lib/store/store.ts";
import { deleteTree } from "#lib/store/tree.ts";
import { describeProblem } from "#lib/store/verification.ts";

/** How often a process is killed: `HELIOS_TEST_KILLS=1000` for a night. */
const kills = Number(process.env["HELIOS_TEST_KILLS"] ?? 12);
/** Makes the moments repeatable. */
const seed = Number(process.env["HELIOS_TEST_SEED"] ?? 1);

t.setTimeout(60_000 + kills * 20_000);

/** Numbers from 0 to 1 (mulberry32). */
function randomNumbers(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Worker {
  readonly child: ChildProcess;
  /** Kept when it has begun to work. */
  readonly ready: Promise<void>;
}

void t.test("a store survives that its users are killed at any moment", async (t) => {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "kill-test-"));
  t.teardown(() => deleteTree(nodeFs, directory));
  const root = join(directory, "store");
  const links = join(directory, "links");
  nodeFs.mkdirSync(links);
  const kept = new Set<StorePath>();
  const random = randomNumbers(seed);

  const start = (name: string): Worker => {
    const worker = join(import.meta.dirname, "kill/worker.ts");
    const child = spawn(process.execPath, ["--import=tsx", worker, root, links, name], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ready = new Promise<void>((resume, fail) => {
      child.once("exit", () => fail(new Error("the worker ended by itself")));
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line === "ready") resume();
        else if (line.startsWith("kept ")) kept.add(line.slice(5) as StorePath);
      });
    });
    // A worker that ends by itself later shows in how it ended.
    ready.catch(() => {});
    return { child, ready };
  };
  const kill = async ({ child }: Worker): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  };
  const inStore = <A, E>(use: (store: StoreShape) => Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(
      Effect.provide(Effect.flatMap(Store, use), Store.layer({ root }).pipe(Layer.provide(FileSystem.layer))),
    );

  // Two at a time: one is killed while the other one goes on, and starts again under another name.
  let count = 0;
  const workers = [start("w0"), start("w1")];
  t.teardown(() => Promise.all(workers.map(kill)));
  while (count < kills) {
    const victim = count % 2;
    const worker = workers[victim]!;
    await worker.ready;
    await new Promise((resume) => setTimeout(resume, random() * 400));
    t.equal(worker.child.exitCode, null, "the worker still works");
    await kill(worker);
    count += 1;
    workers[victim] = start(`w${count + 1}`);
    if (count % 4 === 0) {
      const { problems } = await inStore((store) => store.verify());
      const wrong = problems.filter(({ kind }) => kind !== "unregistered").map(describeProblem);
      t.strictSame(wrong, [], `the store is whole after ${count} kills`);
    }
  }
  await Promise.all(workers.map(kill));

  t.ok(kept.size > 0, `${kept.size} paths were kept`);
  await inStore((store) =>
    Effect.gen(function* () {
      for (const path of kept) t.ok(yield* store.isValid(path), `${path} is not lost`);
      yield* store.collectGarbage();
      t.strictSame((yield* store.verify()).problems, []);
      yield* store.removeLeftovers;
      const mine = nodeFs.readdirSync(store.layout.temporary).filter((entry) => !entry.startsWith(`${process.pid}.`));
      t.strictSame(mine, [], "nothing of the dead is left");
      t.strictSame(
        nodeFs.readdirSync(store.layout.locks).filter((lock) => lock.startsWith("gc")),
        [],
      );
    }),
  );
});
