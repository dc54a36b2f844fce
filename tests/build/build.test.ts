/** A build: in what order its tasks run, and what is rebuilt, substituted, kept and told. */
import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import fc from "fast-check";
import t, { type Test } from "tap";
import { once } from "node:events";
import { Readable } from "node:stream";
import { build, dryRun } from "#lib/build/build.ts";
import type { BuildsFailed } from "#lib/build/errors.ts";
import { instantiateRoots } from "#lib/build/instantiate-roots.ts";
import { BuildLog } from "#lib/build/log.ts";
import { makePlan } from "#lib/build/plan.ts";
import { ReadyQueue } from "#lib/build/ready-queue.ts";
import { type Pool, schedule } from "#lib/build/scheduler.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { sha256 } from "#lib/derivations/hash.ts";
import { openCache } from "#lib/store/cache/cache-files.ts";
import { pushPaths } from "#lib/store/cache/push.ts";
import { generateKeyPair, parsePublicKey, parseSecretKey } from "#lib/store/signature.ts";
import { Store } from "#lib/store/store.ts";
import { memory } from "../memory.ts";
import { worlds } from "../store/worlds.ts";
import { type Harness, type HarnessOptions, makeHarness as harnessOf, testDerivation } from "./harness.ts";

interface TestTask {
  readonly name: string;
  readonly inputs: ReadonlySet<TestTask>;
  readonly pool: Pool;
  readonly cost: number;
}

const task = (
  name: string,
  inputs: readonly TestTask[] = [],
  options: { pool?: Pool; cost?: number } = {},
): TestTask => ({
  name,
  inputs: new Set(inputs),
  pool: options.pool ?? "build",
  cost: options.cost ?? 1,
});

const slots = (build: number, fetch = 1) => ({ slots: { build, fetch }, keepGoing: false });

t.test("a ready queue gives the highest priority first, and equals in the order of adding", (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 })), (priorities) => {
      const queue = new ReadyQueue<number>();
      for (const [index, priority] of priorities.entries()) queue.add(index, priority);
      const taken = priorities.map(() => queue.take());
      const expected = priorities.map((_, index) => index).sort((a, b) => priorities[b]! - priorities[a]! || a - b);
      return queue.size === 0 && JSON.stringify(taken) === JSON.stringify(expected);
    }),
  );
  t.end();
});

t.test("scheduling", (t) => {
  t.test("every task runs once and after its inputs, in any graph", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (shape, jobs) => {
          const tasks: TestTask[] = [];
          for (const [index, inputs] of shape.entries()) {
            tasks.push(task(`t${index}`, index === 0 ? [] : inputs.map((input) => tasks[input % index]!)));
          }
          const done = new Set<TestTask>();
          let running = 0;
          const run = (task: TestTask) =>
            Effect.gen(function* () {
              if (++running > jobs) throw new Error("too many at once");
              for (const input of task.inputs) if (!done.has(input)) throw new Error("input not done");
              if (done.has(task)) throw new Error("ran twice");
              yield* Effect.yieldNow;
              done.add(task);
              running--;
            });
          const failures = await Effect.runPromise(schedule(tasks, slots(jobs), run));
          return failures.length === 0 && done.size === tasks.length;
        },
      ),
    );
  });

  t.test("the longest path goes first", async (t) => {
    const start = task("start");
    const middle = task("middle", [start]);
    const tasks = [task("short 1"), task("short 2"), start, middle, task("end", [middle])];
    const order: string[] = [];
    await Effect.runPromise(schedule(tasks, slots(1), (task) => Effect.sync(() => void order.push(task.name))));
    t.same(order, ["start", "middle", "short 1", "short 2", "end"]);
    const costly = task("costly", [], { cost: 10 });
    order.length = 0;
    await Effect.runPromise(
      schedule([...tasks, costly], slots(1), (task) => Effect.sync(() => void order.push(task.name))),
    );
    t.equal(order[0], "costly");
  });

  t.test("fetches have their own budget", async (t) => {
    let fetching = 0;
    let mostFetching = 0;
    const tasks = Array.from({ length: 9 }, (_, index) => task(`fetch ${index}`, [], { pool: "fetch" }));
    const run = () =>
      Effect.gen(function* () {
        mostFetching = Math.max(mostFetching, ++fetching);
        yield* Effect.sleep(5);
        fetching--;
      });
    await Effect.runPromise(schedule(tasks, slots(1, 3), run));
    t.equal(mostFetching, 3);
  });

  const graph = () => {
    const bad = task("bad");
    const blocked = task("blocked", [bad]);
    const alsoBlocked = task("also blocked", [blocked, bad]);
    const good = task("good");
    return [bad, blocked, alsoBlocked, good, task("after good", [good])];
  };
  const runNamed = (ran: string[]) => (task: TestTask) =>
    Effect.suspend(() => {
      ran.push(task.name);
      return task.name.startsWith("bad") ? Effect.fail("no") : Effect.void;
    });

  t.test("a failure stops the rest and names what it blocks", async (t) => {
    const ran: string[] = [];
    const failures = await Effect.runPromise(schedule(graph(), slots(1), runNamed(ran)));
    t.same(ran, ["bad"]);
    t.equal(failures.length, 1);
    t.equal(failures[0]!.failure, "no");
    t.same(failures[0]!.blocks.map(({ name }) => name).sort(), ["also blocked", "blocked"]);
  });

  t.test("with keep-going everything else is done, and each failure is reported once", async (t) => {
    const ran: string[] = [];
    const options = { ...slots(2), keepGoing: true };
    const failures = await Effect.runPromise(schedule([...graph(), task("bad too")], options, runNamed(ran)));
    t.same(ran.sort(), ["after good", "bad", "bad too", "good"]);
    t.same(failures.map(({ task }) => task.name).sort(), ["bad", "bad too"]);
  });

  t.test("a failure interrupts what runs beside it, and waits until that has cleaned up", async (t) => {
    let cleanedUp = false;
    const slow = task("slow");
    const run = (task: TestTask) =>
      task === slow
        ? Effect.onInterrupt(Effect.never, () =>
            Effect.andThen(
              Effect.sleep(20),
              Effect.sync(() => (cleanedUp = true)),
            ),
          )
        : Effect.andThen(Effect.sleep(5), Effect.fail("no"));
    const failures = await Effect.runPromise(schedule([slow, task("bad")], slots(2), run));
    t.same(
      failures.map(({ task }) => task.name),
      ["bad"],
    );
    t.ok(cleanedUp);
  });

  t.test("cancelling the whole interrupts every task", async (t) => {
    const interrupted: string[] = [];
    const run = (task: TestTask) =>
      Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted.push(task.name)));
    const fiber = Effect.runFork(schedule([task("a"), task("b"), task("c")], slots(2), run));
    await new Promise((resolve) => setTimeout(resolve, 10));
    await Effect.runPromise(Fiber.interrupt(fiber));
    t.same(interrupted.sort(), ["a", "b"]);
  });

  t.test("a bug in a task is not taken for a failed build", async (t) => {
    const run = () => Effect.die(new Error("bug"));
    await t.rejects(Effect.runPromise(schedule([task("a")], { ...slots(1), keepGoing: true }, run)), {
      message: "bug",
    });
  });

  t.test("ten thousand tasks in a chain or side by side cost next to nothing to schedule", async (t) => {
    const chain: TestTask[] = [];
    for (let index = 0; index < 10_000; index++) chain.push(task(`t${index}`, index === 0 ? [] : [chain[index - 1]!]));
    const wide = Array.from({ length: 10_000 }, (_, index) => task(`t${index}`));
    for (const tasks of [chain, wide]) {
      const started = process.cpuUsage();
      await Effect.runPromise(schedule(tasks, slots(2), () => Effect.void));
      const { user, system } = process.cpuUsage(started);
      const milliseconds = Math.round((user + system) / 1000);
      t.ok(milliseconds < 3000, `${milliseconds} ms of CPU`);
    }
  });

  t.end();
});

/** Ten nodes: a diamond of chains over `leaf`, whose comment does not reach its output. */
function graphOfTen(comment: string, word = "word"): Derivation {
  // The builder ignores `comment`, as a compiler does.
  const leaf = testDerivation("leaf", [], { content: word, comment });
  const left = testDerivation("left", [leaf], { content: "left" });
  const right = testDerivation("right", [leaf], { content: "right" });
  const left2 = testDerivation("left-2", [left]);
  const left3 = testDerivation("left-3", [left2]);
  const right2 = testDerivation("right-2", [right]);
  const right3 = testDerivation("right-3", [right2, left2]);
  const shout = testDerivation("shout", [leaf], { upper: true });
  const aside = testDerivation("aside", [shout]);
  return testDerivation("top", [left3, right3, aside, leaf]);
}

for (const [place, makeWorld] of Object.entries(worlds)) {
  void t.test(`a build in ${place}`, (t) => {
    /** An engine around an empty store; `during` is what each fake builder does first. */
    const makeHarness = (t: Test, during?: HarnessOptions["during"]): Harness => {
      const { fs, directory } = makeWorld(t);
      return harnessOf({ fs, root: `${directory}/store`, ...(during !== undefined && { during }) });
    };

    t.test("early cut-off", (t) => {
      t.test("a change that does not change an output's bytes rebuilds exactly one of ten", async (t) => {
        const harness = makeHarness(t);
        const first = await harness.run(build([graphOfTen("one")]));
        t.equal(first.built.length, 10);
        harness.ran.length = 0;
        const second = await harness.run(build([graphOfTen("two")]));
        t.same(harness.ran, ["leaf"]);
        t.same(second.built, ["leaf"]);
        t.equal(second.cutOff.length, 9);
        t.same([...second.outputs.values()], [...first.outputs.values()]);
      });

      t.test("a change that vanishes half-way stops there", async (t) => {
        const harness = makeHarness(t);
        await harness.run(build([graphOfTen("", "word")]));
        harness.ran.length = 0;
        await harness.run(build([graphOfTen("", "Word")]));
        t.notOk(harness.ran.includes("aside"));
        t.same(harness.ran.length, 9);
      });

      t.test("what is built is not even planned again, and its inputs are not looked at", async (t) => {
        const harness = makeHarness(t);
        const root = graphOfTen("");
        await harness.run(build([root]));
        const { plan } = await harness.run(dryRun([root]));
        t.equal(plan.builds.length, 0);
        t.equal(plan.realised.size, 1);
        harness.ran.length = 0;
        await harness.run(build([root]));
        t.same(harness.ran, []);
      });

      t.end();
    });

    t.test("substitution", (t) => {
      const pair = generateKeyPair("test-1");
      /** A machine that has built everything and filled a cache, and one with an empty store. */
      const machines = async (t: Test, built: Derivation) => {
        const { fs, directory } = makeWorld(t);
        const url = `file://${directory}/cache`;
        const substitution = { caches: [url], trusted: [parsePublicKey(pair.public)] };
        const filler = harnessOf({ fs, root: `${directory}/filler` });
        const { outputs } = await filler.run(build([built]));
        const top = outputs.get(built)!.get("out")!;
        const options = { compression: "none", key: parseSecretKey(pair.secret) } as const;
        await filler.run(
          Effect.gen(function* () {
            const store = yield* Store;
            const everything = (yield* store.realisations).map(({ path }) => path);
            yield* pushPaths(yield* openCache(url), everything, options);
          }),
        );
        const realisations = `${directory}/cache/realisations`;
        return { fs, realisations, substitution, taker: harnessOf({ fs, root: `${directory}/taker` }), top };
      };
      const notes = ({ events }: Harness) => events.flatMap((event) => (event.type === "note" ? [event.message] : []));

      t.test("takes the root and asks for nothing below it", async (t) => {
        const { taker, top, substitution } = await machines(t, graphOfTen("one"));
        const root = graphOfTen("one");
        const result = await taker.run(build([root], { substitution }));
        t.same(taker.ran, []);
        t.same(notes(taker), ["substituted top"]);
        t.equal(result.outputs.get(root)?.get("out"), top);
      });

      t.test("a dry run tells what a cache has, how large it is, and takes nothing", async (t) => {
        const { taker, substitution } = await machines(t, graphOfTen("one"));
        const root = testDerivation("more", [graphOfTen("one")]);
        const planned = async (options?: typeof substitution) => {
          const { builds, offered } = (await taker.run(dryRun([root], options))).plan;
          return {
            builds: builds.map(({ derivation }) => derivation.store.name),
            offered: offered.map(({ derivation, offers }) => [derivation.store.name, offers.map(({ cache }) => cache)]),
            bytes: offered.flatMap(({ offers }) => offers.map(({ bytes }) => bytes)),
          };
        };
        const { bytes, ...asked } = await planned(substitution);
        t.strictSame(asked, { builds: ["more"], offered: [["top", substitution.caches]] });
        t.ok((bytes[0] ?? 0) > 100, "the archive of top, and of what it refers to");
        t.strictSame(await taker.run(Effect.flatMap(Store, (store) => store.realisations)), []);
        t.equal((await planned()).builds.length, 11, "nobody is asked who is not named");
        t.same(taker.events, []);
        const untrusted = await planned({ ...substitution, trusted: [] });
        t.equal(untrusted.builds.length, 11, "what the build would not take is not promised");
        t.match(taker.events[0], { type: "warning", message: /It is built instead\./ });
        t.same((await taker.run(build([root], { substitution }))).built, ["more"], "as planned");
      });

      t.test(
        "of what is built on an input that came out the same: the cache knows it by what it resolves to",
        async (t) => {
          const { taker, top, substitution } = await machines(t, graphOfTen("one"));
          const root = graphOfTen("two");
          const result = await taker.run(build([root], { substitution, jobs: 1 }));
          t.same(taker.ran, ["leaf"], "no cache has a leaf with this comment");
          t.equal(notes(taker).length, 9);
          t.equal(result.outputs.get(root)?.get("out"), top);
        },
      );

      t.test("a cache that was tampered with, or is not there, is a warning, and the rest is built", async (t) => {
        const { fs, taker, realisations, substitution } = await machines(t, graphOfTen("one"));
        for (const name of await fs.promises.readdir(realisations)) {
          const file = `${realisations}/${name}`;
          const text = String(await fs.promises.readFile(file, "utf8"));
          await fs.promises.writeFile(file, text.replace(/(test-1:)../, "$1zz"));
        }
        await taker.run(
          build([graphOfTen("one")], {
            substitution: { ...substitution, caches: [...substitution.caches, "gopher://x"] },
          }),
        );
        t.equal(taker.ran.length, 10);
        const warnings = taker.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
        t.match(warnings[0], /a cache is a file:\/\/\/absolute\/path, http:\/\/ or https:\/\/ URL/);
        t.match(warnings[1], /trusted key test-1 that does not match.* It is built instead\./s);
      });

      t.end();
    });

    t.test("planning", (t) => {
      t.test("ten thousand nodes are planned within a second", async (t) => {
        const harness = makeHarness(t);
        let layer: Derivation[] = [];
        for (let row = 0; row < 100; row++) {
          const below = layer;
          layer = Array.from({ length: 100 }, (_, column) =>
            testDerivation(
              `n-${row}-${column}`,
              [0, 1, 2].flatMap((step) => below[(column * 7 + step) % 100] ?? []),
            ),
          );
        }
        const root = testDerivation("root", layer);
        const { instantiation } = await harness.run(instantiateRoots([root]));
        await harness.run(makePlan(instantiation, [root])); // Warms the compiler up.
        let milliseconds = Infinity;
        // Others use this machine's caches too: what counts is what it takes when they let it.
        for (let attempt = 0; attempt < 3 && milliseconds >= 1000; attempt++) {
          const started = process.cpuUsage();
          const plan = await harness.run(makePlan(instantiation, [root]));
          const { user, system } = process.cpuUsage(started);
          milliseconds = Math.round((user + system) / 1000);
          t.equal(plan.builds.length, 10_001);
        }
        t.ok(milliseconds < 1000, `${milliseconds} ms of CPU`);
      });

      t.test("what took longest before goes first", async (t) => {
        const slow = (name: string) => (name.startsWith("slow") ? Effect.sleep(100) : Effect.void);
        const harness = makeHarness(t, slow);
        const graph = (round: number) =>
          testDerivation(
            "root",
            ["a", "b", "slow", "c"].map((name) => testDerivation(name, [], { round })),
          );
        await harness.run(build([graph(1)], { jobs: 1 }));
        t.same(harness.ran.indexOf("slow"), 2);
        harness.ran.length = 0;
        await harness.run(build([graph(2)], { jobs: 1 }));
        t.same(harness.ran.indexOf("slow"), 0);
      });

      t.test("the plan is announced before anything runs", async (t) => {
        const harness = makeHarness(t);
        const content = "fetched";
        const fetched = testDerivation(
          "fetched",
          [],
          { content, size: 1000 },
          { fixedOutput: { mode: "flat", hash: sha256(content) } },
        );
        await harness.run(build([testDerivation("user", [fetched])]));
        t.same(harness.events[0], { type: "plan", builds: 1, fetches: 1, downloadBytes: 1000 });
        const kinds = harness.events.map((event) => ("name" in event ? `${event.type} ${event.name}` : event.type));
        t.same(kinds, [
          "plan",
          "build-started fetched",
          "build-log fetched",
          "build-finished fetched",
          "build-started user",
          "build-log user",
          "build-finished user",
        ]);
      });

      t.end();
    });

    const failureOf = (promise: Promise<unknown>): Promise<BuildsFailed> =>
      promise.then(
        () => Promise.reject(new Error("it did not fail")),
        (cause: unknown) => cause as BuildsFailed,
      );

    t.test("failures", (t) => {
      const failing = (name: string) => testDerivation(name, [], { fails: true });

      t.test("one is reported once, with what it blocks", async (t) => {
        const harness = makeHarness(t);
        const bad = failing("bad");
        const middle = testDerivation("middle", [bad]);
        const error = await failureOf(harness.run(build([testDerivation("top", [middle, bad])], { keepGoing: true })));
        t.equal(error._tag, "BuildsFailed");
        t.equal(error.failures.length, 1);
        t.same(error.failures[0]!.blocks, ["middle", "top"]);
        t.equal(error.message, "'bad' failed: it was told to fail.\nNot built because of it: middle, top.");
      });

      t.test("are not remembered", async (t) => {
        const harness = makeHarness(t);
        await failureOf(harness.run(build([failing("bad")])));
        await failureOf(harness.run(build([failing("bad")])));
        t.same(harness.ran, ["bad", "bad"]);
      });

      t.test("do not take back what succeeded", async (t) => {
        const harness = makeHarness(t);
        const good = testDerivation("good", []);
        await failureOf(harness.run(build([testDerivation("top", [good, failing("bad")])], { keepGoing: true })));
        harness.ran.length = 0;
        await harness.run(build([good]));
        t.same(harness.ran, []);
      });

      t.test("end what has begun, also if only what it came to cannot be written down", async (t) => {
        const { fs, directory } = makeWorld(t);
        let written = 0;
        const renameSync: typeof fs.renameSync = (from, to) => {
          if (String(to).includes("/realisations/") && ++written === 3)
            throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
          fs.renameSync(from, to);
        };
        const harness = harnessOf({
          fs: Object.assign(Object.create(fs) as typeof fs, { renameSync }),
          root: `${directory}/store`,
        });
        const error = await failureOf(harness.run(build([testDerivation("top", [testDerivation("leaf", [])])])));
        t.match(error.message, /the disk is full/);
        const ended = harness.events.flatMap((event) => (event.type === "build-finished" ? [event] : []));
        t.strictSame(
          ended.map(({ name, outcome }) => [name, outcome]),
          [
            ["leaf", "built"],
            ["top", "failed"],
          ],
        );
      });

      t.test("an unknown builtin builder is named, with those there are", async (t) => {
        const unknown = testDerivation("x", [], {}, { builder: "builtin:unknown" });
        const error = await failureOf(makeHarness(t).run(build([unknown])));
        t.match(
          error.message,
          "'x' cannot be built: this program has no builder 'builtin:unknown'. It has: builtin:test.",
        );
      });

      t.test("a wrong hash shows expected, actual, where it came from and what to do", async (t) => {
        const expected = sha256("right");
        const fetch = testDerivation(
          "file.txt",
          [],
          { content: "wrong", url: "https://example.org/file.txt" },
          { fixedOutput: { mode: "flat", hash: expected } },
        );
        const error = await failureOf(makeHarness(t).run(build([fetch])));
        t.equal(error.failures[0]!.error._tag, "HashMismatch");
        t.equal(
          error.message,
          "Hash mismatch in 'file.txt' (https://example.org/file.txt):\n" +
            `  expected: ${sri("right")}\n` +
            `  actual:   ${sri("wrong")}\n` +
            "If the content was meant to change, put the actual hash in place of the expected one; else do not trust where it came from.",
        );
      });

      t.test("input-addressed derivations are refused", async (t) => {
        const error = await failureOf(
          makeHarness(t).run(build([testDerivation("x", [], {}, { addressing: "input" })])),
        );
        t.match(error.message, /addressed by its inputs/);
      });

      t.end();
    });

    const sri = (content: string): string => `sha256-${Buffer.from(sha256(content).hex, "hex").toString("base64")}`;

    t.test("two runs on one store build the same thing once", async (t) => {
      let started = () => {};
      const running = new Promise<void>((resolve) => (started = resolve));
      const harness = makeHarness(t, () =>
        Effect.andThen(
          Effect.sync(() => started()),
          Effect.sleep(1200),
        ),
      );
      const one = testDerivation("one", []);
      await harness.run(
        Effect.gen(function* () {
          const results = yield* Effect.all(
            [
              build([one]),
              Effect.andThen(
                Effect.promise(() => running),
                build([one]),
              ),
            ],
            { concurrency: 2 },
          );
          t.same(
            results.map(({ built }) => built),
            [["one"], []],
          );
          t.same(results[1].cutOff, ["one"]);
        }),
      );
      t.same(harness.ran, ["one"]);
      const notes = harness.events.flatMap((event) => (event.type === "note" ? [event.message] : []));
      t.same(notes, ["waiting for another process that builds one"]);
    });

    t.test("a log that is gone when a build fails is not taken for an empty one", async (t) => {
      const { fs, directory } = makeWorld(t);
      const logs = `${directory}/store/nix/var/helios/logs`;
      let remove = false;
      const harness = harnessOf({
        fs,
        root: `${directory}/store`,
        during: () => {
          if (remove) fs.rmSync(logs, { recursive: true });
          return Effect.never;
        },
      });
      const limits = { time: 50 };
      const slow = testDerivation("slow", []);
      const kept = await failureOf(harness.run(build([slow], { limits })));
      t.match(kept.message, /Last lines of its log:\n {2}> making slow\nWhole log: /);
      remove = true;
      const gone = await failureOf(harness.run(build([slow], { limits })));
      t.match(gone.message, /Its log could not be read: ENOENT.*slow\.drv\.log.*removed while the build ran/);
      t.notMatch(gone.message, /is empty|Whole log/);
    });

    t.test("a time limit ends a builtin builder", async (t) => {
      const harness = makeHarness(t, () => Effect.never);
      const error = await failureOf(harness.run(build([testDerivation("slow", [])], { limits: { time: 50 } })));
      t.match(error.message, /^'slow' was killed after 0.05 s, its time limit/);
    });
    t.end();
  });
}

void t.test("a log", (t) => {
  const opened = ({ failsToClose = false } = {}) => {
    const fs = memory();
    let left = Infinity;
    let closed = 0;
    const limited: typeof fs = Object.assign(Object.create(fs), {
      writeSync: (descriptor: number, bytes: Buffer, from: number, length: number) => {
        if (left === 0) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
        const written = fs.writeSync(descriptor, bytes, from, Math.min(length, left));
        left -= written;
        return written;
      },
      closeSync: (descriptor: number) => {
        closed++;
        fs.closeSync(descriptor);
        if (failsToClose) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      },
    });
    const heard: string[] = [];
    const log = BuildLog.open(limited, "/log", {
      line: (line) => heard.push(line),
      phase: (phase) => heard.push(`phase ${phase}`),
      warning: (message) => heard.push(`warning ${message}`),
    });
    return {
      log,
      heard,
      text: () => fs.readFileSync("/log", "utf8"),
      leaveSpace: (bytes: number) => (left = bytes),
      closed: () => closed,
    };
  };
  const chunks = ["one\ntw", "o\r\n", '@nix {"action":"setPhase","phase":"install"}\n\u20ac', "\nlast"];

  t.test("holds every byte of a builder's output, and passes on its lines and phases", async (t) => {
    const { log, heard, text } = opened();
    await log.consume(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));
    log.line("of the engine");
    log.close();
    log.close();
    t.equal(text(), `${chunks.join("")}of the engine\n`);
    t.strictSame(heard, ["one", "two", "phase install", "\u20ac", "last", "of the engine"]);
    t.equal(log.phase, "install");
  });

  t.test("on a full disk lets the builder go on, and says so in the end", async (t) => {
    const { log, heard, text, leaveSpace } = opened();
    leaveSpace(5);
    await log.consume(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));
    t.throws(() => log.close(), { code: "ENOSPC" });
    t.equal(text(), "one\nt");
    t.equal(heard.at(-1), "last");
  });

  t.test("gives its descriptor back once, even if that fails", (t) => {
    const { log, closed } = opened({ failsToClose: true });
    t.throws(() => log.close(), { code: "EIO" });
    // The number may be of another file by now.
    t.throws(() => log.close(), { code: "EIO" });
    t.equal(closed(), 1);
    t.end();
  });

  t.test("of a listener that fails, fails with it instead of ending the process", async (t) => {
    const fs = memory();
    const fail = (): never => {
      throw new Error("nobody reads this");
    };
    for (const text of ["one\n", "no end"]) {
      const log = BuildLog.open(fs, "/log", { line: fail, phase: fail, warning: fail });
      await t.rejects(log.consume(Readable.from([Buffer.from(text)])), { message: "nobody reads this" }, text);
    }
  });

  t.test("of what has ended already is complete", async (t) => {
    const { log } = opened();
    const stream = Readable.from([]);
    stream.resume();
    await once(stream, "close");
    await log.consume(stream);
    t.equal(log.bytes, 0);
  });
  t.end();
});
