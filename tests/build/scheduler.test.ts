import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import fc from "fast-check";
import t from "tap";
import { ReadyQueue } from "#lib/build/ready-queue.ts";
import { type Pool, schedule } from "#lib/build/scheduler.ts";

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
