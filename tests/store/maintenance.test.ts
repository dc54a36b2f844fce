/** Long, since collection, verification and repair are tried on the same stores, by the same processes that are killed. */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import t, { type Test } from "tap";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import { baseName, type DerivationPath, parseStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { discardRemains } from "#lib/store/build-remains.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { infoFile, keptFailure, type Layout, layoutOf, logFile, realisationPath } from "#lib/store/layout.ts";
import type { Verification } from "#lib/store/maintenance.ts";
import type { PathInfo } from "#lib/store/path-info.ts";
import { closureSize, diffClosures, whyDepends } from "#lib/store/queries.ts";
import { printRealisation } from "#lib/store/realisation.ts";
import { Store, type StoreShape } from "#lib/store/store.ts";
import { deleteTree } from "#lib/store/tree.ts";
import { describeProblem } from "#lib/store/verification.ts";
import { killedAtEachCall, store, watched, type World, world, worlds, writeSource } from "./worlds.ts";

/** Something to wait for. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

interface Graph {
  readonly a: StorePath;
  /** Refers to a. */
  readonly b: StorePath;
  /** Refers to b. */
  readonly c: StorePath;
  readonly tree: StorePath;
  readonly layout: Layout;
}

/** a ← b ← c, and a tree beside them; `result` is a root of b. */
const graph = (w: World): Effect.Effect<Graph, StoreError, Store> =>
  store((s) =>
    Effect.gen(function* () {
      const a = yield* s.addText("a", "a", []);
      const b = yield* s.addText("b", `see ${a}`, [a]);
      const c = yield* s.addText("c", `see ${b}`, [b]);
      writeSource(w.fs, join(w.directory, "src"));
      const tree = yield* s.addSource(source({ path: join(w.directory, "src") }));
      yield* s.addRoot(join(w.directory, "result"), b);
      yield* s.addRealisation({ key: keyOf("b"), path: b });
      yield* s.addRealisation({ key: keyOf("c"), path: c });
      return { a, b, c, tree, layout: s.layout };
    }),
  );

const keyOf = (name: string): `sha256:${string}!out` => `sha256:${sha256(name).hex}!out`;

const names = (paths: Iterable<StorePath>): string[] => [...paths].map((path) => baseName(path).slice(33));

for (const [name, makeWorld] of Object.entries(worlds)) {
  void t.test(`garbage collection in ${name}`, (t) => {
    t.test("deletes what no root needs, dependents first", async (t) => {
      const w = makeWorld(t);
      const { a, b, c, tree, layout } = await w.run(graph(w));
      const planned = await w.run(store((s) => s.collectGarbage({ dryRun: true })));
      t.strictSame([...planned.deleted].sort(), [c, tree].sort());
      t.equal(planned.kept, 2);
      t.ok(w.fs.existsSync(infoFile(layout, c)), "a dry run deletes nothing");

      const done = await w.run(store((s) => s.collectGarbage()));
      t.strictSame(done, planned);
      t.ok(done.freedBytes > 1072);
      t.strictSame(w.fs.readdirSync(layout.objects).sort(), [a, b].map(baseName).sort());
      t.strictSame(w.fs.readdirSync(layout.temporary), [], "the trash is gone");
      t.notOk(w.fs.existsSync(realisationPath(layout, keyOf("c"))));
      t.equal((await w.run(store((s) => s.realisation(keyOf("b")))))?.path, b);

      w.fs.unlinkSync(join(w.directory, "result"));
      const rest = await w.run(store((s) => s.collectGarbage()));
      t.strictSame(rest.deleted, [b, a]);
      t.strictSame(w.fs.readdirSync(layout.roots), []);
      t.strictSame(w.fs.readdirSync(layout.realisations), []);
    });

    t.test("keeps what a running process uses, complete or not, and forgets what a dead one used", async (t) => {
      const w = makeWorld(t);
      const { c, tree, layout } = await w.run(graph(w));
      const building = parseStorePath("/nix/store/fnlla6mjqvkrpgrdcgc90lbcbapbagkw-being-built");
      const own = await w.run(
        store((s) =>
          Effect.gen(function* () {
            yield* s.protect([building]);
            w.fs.mkdirSync(s.physical(building));
            yield* s.isValid(c);
            const [user] = w.fs.readdirSync(layout.users);
            const { deleted, leftovers } = yield* s.collectGarbage();
            t.strictSame(deleted, [tree]);
            t.strictSame(leftovers, []);
            t.ok(w.fs.existsSync(s.physical(building)));
            return user!;
          }),
        ),
      );
      w.fs.writeFileSync(join(layout.users, own.replace(/^\d+/, "4194305")), `${baseName(c)}\n`);
      const { deleted, leftovers } = await w.run(store((s) => s.collectGarbage()));
      t.strictSame(names(deleted), ["c"]);
      t.strictSame(leftovers, [baseName(building)]);
      t.strictSame(w.fs.readdirSync(layout.users), []);
    });

    t.test("makes a process that starts to use a path wait until it is done", async (t) => {
      const w = makeWorld(t);
      const { c, layout } = await w.run(graph(w));
      const events: string[] = [];
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const mine = yield* Effect.map(s.temporaryDirectory, (path) => path.slice(path.lastIndexOf("/") + 1));
            w.fs.writeFileSync(join(layout.locks, "gc.lock"), mine);
            yield* Effect.all(
              [
                Effect.map(s.isValid(c), (valid) => events.push(`valid: ${valid}`)),
                Effect.delay(
                  Effect.sync(() => {
                    events.push("collected");
                    w.fs.unlinkSync(infoFile(layout, c));
                    w.fs.unlinkSync(join(layout.locks, "gc.lock"));
                  }),
                  60,
                ),
              ],
              { concurrency: 2 },
            );
          }).pipe(Effect.scoped),
        ),
      );
      t.strictSame(events, ["collected", "valid: false"]);
    });

    t.test("can be limited by age and by size", async (t) => {
      const w = makeWorld(t);
      const { a, b, c, tree, layout } = await w.run(graph(w));
      w.fs.unlinkSync(join(w.directory, "result"));
      const old = (path: StorePath, seconds: number): void => w.fs.utimesSync(infoFile(layout, path), seconds, seconds);
      for (const [index, path] of [a, b, tree].entries()) old(path, 1000 + index);
      const young = await w.run(store((s) => s.collectGarbage({ dryRun: true, addedBefore: 2_000_000 })));
      t.strictSame(young.deleted, [tree], "c is young and needs b and a");
      old(c, 2000);
      const some = await w.run(store((s) => s.collectGarbage({ dryRun: true, enoughBytes: 1 })));
      t.strictSame(some.deleted, [tree], "the oldest that nothing needs");
      const kept = await w.run(store((s) => s.collectGarbage({ keep: [c] })));
      t.strictSame(kept.deleted, [tree]);
    });

    t.test("takes along what builds of derivations that are gone left, unless it is young", async (t) => {
      const w = makeWorld(t);
      const layout = await w.run(
        store((s) =>
          Effect.gen(function* () {
            const kept = yield* s.addText("kept.drv", "kept", []);
            const gone = yield* s.addText("gone.drv", "gone", []);
            yield* s.addRoot(join(w.directory, "kept"), kept);
            const { logs, failures, partial } = s.layout;
            for (const path of [kept, gone]) {
              w.fs.writeFileSync(logFile(s.layout, path as DerivationPath), "log");
              w.fs.mkdirSync(join(keptFailure(s.layout, path as DerivationPath), "build/sealed"), { recursive: true });
              w.fs.chmodSync(join(keptFailure(s.layout, path as DerivationPath), "build/sealed"), 0o555);
            }
            w.fs.writeFileSync(join(partial, "old.part"), "");
            w.fs.utimesSync(join(partial, "old.part"), 1000, 1000);
            w.fs.writeFileSync(join(partial, "running.part"), "");
            t.equal(w.fs.readdirSync(logs).length + w.fs.readdirSync(failures).length, 4);
            return s.layout;
          }),
        ),
      );
      const young = await w.run(store((s) => s.collectGarbage({ dryRun: true, addedBefore: 2_000_000 })));
      t.strictSame(young.remains, { logs: [], failures: [], downloads: ["old.part"] });
      const planned = await w.run(store((s) => s.collectGarbage({ dryRun: true })));
      t.strictSame(
        planned.remains.logs.map((log) => log.slice(33)),
        ["gone.drv.log"],
      );
      t.equal(w.fs.readdirSync(layout.logs).length, 2, "a dry run deletes nothing");
      t.strictSame(await w.run(store((s) => s.collectGarbage())), planned);
      const left = [layout.logs, layout.failures, layout.partial].flatMap((directory) => w.fs.readdirSync(directory));
      t.strictSame(
        left.map((entry) => String(entry).replace(/^[^-]*-/, "")),
        ["kept.drv.log", "kept", "running.part"],
      );
      t.strictSame(w.fs.readdirSync(layout.temporary), [], "the trash is gone");
    });

    t.test("takes along the locks of dead processes, not of running ones", async (t) => {
      const w = makeWorld(t);
      const { layout } = await w.run(graph(w));
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const own = yield* Effect.map(s.temporaryDirectory, (path) => path.slice(path.lastIndexOf("/") + 1));
            w.fs.writeFileSync(join(layout.locks, "running.lock"), own);
            w.fs.writeFileSync(join(layout.locks, "dead.lock"), own.replace(/^\d+/, "4194305"));
            yield* s.collectGarbage({ dryRun: true });
            t.strictSame(w.fs.readdirSync(layout.locks).sort(), ["dead.lock", "running.lock"]);
            yield* s.collectGarbage();
            t.strictSame(w.fs.readdirSync(layout.locks), ["running.lock"]);
          }).pipe(Effect.scoped),
        ),
      );
    });

    for (const [state, before] of Object.entries({ dead: undefined, damaged: "{" })) {
      for (const [who, remove] of Object.entries({
        collection: store((s) => Effect.asVoid(s.collectGarbage())),
        repair: store((s) => Effect.asVoid(s.verify({ repair: true }))),
      })) {
        if (who === "repair" && state === "dead") continue;
        t.test(`leaves what takes the place of a ${state} realisation just before a ${who} removes it`, async (t) => {
          const w = makeWorld(t);
          const { a, layout } = await w.run(graph(w));
          const file = realisationPath(layout, keyOf("c"));
          const fresh = printRealisation({ key: keyOf("c"), path: a });
          if (before !== undefined) w.fs.writeFileSync(file, before);
          let writes = 0;
          /** A build that makes it anew, and ends it when the old one has been read, and not removed. */
          const beside = (path: nodeFs.PathLike): void => {
            if (path !== file || writes++ > 0) return;
            w.fs.writeFileSync(`${layout.temporary}/build`, fresh);
            w.fs.renameSync(`${layout.temporary}/build`, file);
          };
          const unlinkSync: typeof nodeFs.unlinkSync = (path) => (beside(path), w.fs.unlinkSync(path));
          const renameSync: typeof nodeFs.renameSync = (from, to) => (beside(from), w.fs.renameSync(from, to));
          const fs: typeof nodeFs = Object.assign(Object.create(w.fs), { unlinkSync, renameSync });
          await world(fs, w.directory).run(remove);
          t.equal(writes, 1);
          t.equal((await w.run(store((s) => s.realisation(keyOf("c")))))?.path, a);
          t.strictSame(w.fs.readdirSync(layout.temporary), []);
        });
      }
    }

    t.test("leaves a download that somebody goes on with when its turn comes", async (t) => {
      const w = makeWorld(t);
      const { layout } = await w.run(graph(w));
      const remains = { logs: [], failures: [], downloads: ["resumed.part", "old.part"] };
      for (const name of remains.downloads) w.fs.writeFileSync(join(layout.partial, name), "");
      w.fs.utimesSync(join(layout.partial, "old.part"), 1000, 1000);
      await discardRemains(w.fs, layout, remains, layout.temporary);
      t.strictSame(w.fs.readdirSync(layout.partial), ["resumed.part"]);
    });

    t.test("removes what is in the store directory without being valid", async (t) => {
      const w = makeWorld(t);
      const { layout } = await w.run(graph(w));
      w.fs.mkdirSync(join(layout.objects, "rubbish/deep"), { recursive: true });
      w.fs.chmodSync(join(layout.objects, "rubbish"), 0o555);
      w.fs.writeFileSync(join(layout.info, "damaged.json"), "{");
      const { leftovers } = await w.run(store((s) => s.collectGarbage()));
      t.strictSame(leftovers, ["rubbish"]);
      t.notOk(w.fs.existsSync(join(layout.objects, "rubbish")));
      t.notOk(w.fs.existsSync(join(layout.info, "damaged.json")));
    });
    t.end();
  });

  void t.test(`verification in ${name}`, (t) => {
    /** Does everything to the graph that a disk can do. */
    function damage(w: World, { a, c, tree, layout }: Graph): void {
      const physical = (path: StorePath): string => join(layout.objects, baseName(path));
      w.fs.chmodSync(join(physical(tree), "a.txt"), 0o644);
      w.fs.writeFileSync(join(physical(tree), "a.txt"), "alphb\n");
      w.fs.writeFileSync(infoFile(layout, c), "{}");
      w.fs.chmodSync(physical(a), 0o644);
      w.fs.unlinkSync(physical(a));
      w.fs.writeFileSync(realisationPath(layout, keyOf("b")), "");
    }

    t.test("finds nothing wrong with a good store", async (t) => {
      const w = makeWorld(t);
      await w.run(graph(w));
      const result = await w.run(store((s) => s.verify()));
      t.strictSame(result, { problems: [], checked: 4, repaired: [], invalidated: [], failures: [] });
    });

    t.test("says exactly what is wrong and changes nothing", async (t) => {
      const w = makeWorld(t);
      const all = await w.run(graph(w));
      damage(w, all);
      const { problems, repaired } = await w.run(store((s) => s.verify()));
      t.strictSame(repaired, []);
      const messages = problems.map(describeProblem);
      t.equal(messages.length, 5);
      for (const pattern of [
        /-c' in the store directory belongs to no valid path/,
        /-a' is registered, but it is gone/,
        /-src' was changed: its hash should be sha256-.* and is sha256-/,
        /the info file '.*-c.json' is damaged/,
        /the realisation '.*' is damaged/,
      ]) {
        t.equal(messages.filter((message) => pattern.test(message)).length, 1, String(pattern));
      }
      t.ok(w.fs.existsSync(infoFile(all.layout, all.tree)));
    });

    t.test("mends what content proves or what can be made again, and makes the rest invalid", async (t) => {
      const w = makeWorld(t);
      const all = await w.run(graph(w));
      damage(w, all);
      const { repaired, invalidated } = await w.run(
        store((s) =>
          s.verify({
            repair: true,
            remake: (info) => (info.path === all.a ? s.addText("a", "a", []) : Effect.fail("cannot")),
          }),
        ),
      );
      t.strictSame(names(repaired).sort(), ["a", "c"], "a was made again, c proved by its content");
      t.strictSame(invalidated, [all.tree]);
      const after = await w.run(store((s) => s.verify()));
      t.strictSame(after.problems, []);
      t.equal(await w.run(store((s) => s.isValid(all.c))), true);
      t.equal((await w.run(store((s) => s.pathInfo(all.c))))!.references[0], all.b);
    });

    t.test("makes in any order what needs one another to be made", async (t) => {
      const w = makeWorld(t);
      const { a, b, c, layout } = await w.run(graph(w));
      for (const path of [a, b, c]) w.fs.unlinkSync(join(layout.objects, baseName(path)));
      const { repaired, invalidated } = await w.run(
        store((s) => {
          const remake = ({ path }: { readonly path: StorePath }) =>
            path === a
              ? s.addText("a", "a", [])
              : Effect.flatMap(s.closure(path === b ? [a] : [b]), ([first]) =>
                  path === b ? s.addText("b", `see ${first}`, [a]) : s.addText("c", `see ${b}`, [b]),
                );
          return s.verify({ repair: true, remake });
        }),
      );
      t.strictSame([...repaired], [a, b, c].sort());
      t.strictSame(invalidated, []);
    });

    t.test("does not register again what needs something that is gone", async (t) => {
      const w = makeWorld(t);
      const { a, b, layout } = await w.run(graph(w));
      w.fs.unlinkSync(infoFile(layout, b));
      w.fs.unlinkSync(infoFile(layout, a));
      w.fs.chmodSync(join(layout.objects, baseName(a)), 0o644);
      w.fs.writeFileSync(join(layout.objects, baseName(a)), "rotten");
      const { repaired } = await w.run(store((s) => s.verify({ repair: true })));
      t.strictSame(repaired, []);
      const { problems } = await w.run(store((s) => s.verify()));
      t.strictSame(
        problems.filter(({ kind }) => kind !== "unregistered"),
        [],
      );
    });

    t.test("does not leave valid what needs something that is gone", async (t) => {
      const w = makeWorld(t);
      const { a, b, c, layout } = await w.run(graph(w));
      w.fs.unlinkSync(join(layout.objects, baseName(a)));
      const { invalidated } = await w.run(store((s) => s.verify({ repair: true })));
      t.strictSame([...invalidated], [a, b, c].sort());
      t.strictSame(
        (await w.run(store((s) => s.verify()))).problems.map(({ kind }) => kind),
        ["unregistered", "unregistered"],
      );
      await w.run(store((s) => s.addText("a", "a", [])));
      const { repaired } = await w.run(store((s) => s.verify({ repair: true })));
      t.strictSame([...repaired], [b, c].sort(), "the content was kept and is registered again");
    });
    t.end();
  });
}

void t.test("repair", (t) => {
  interface Built {
    readonly x: PathInfo;
    /** Refers to x. */
    readonly y: PathInfo;
    readonly derivation: DerivationPath;
  }

  const buildTree = (w: World, name: string, mentions: readonly StorePath[], deriver: DerivationPath) =>
    store((s) =>
      Effect.scoped(
        Effect.gen(function* () {
          const output = join(yield* s.temporaryDirectory, "out");
          yield* Effect.sync(() => {
            w.fs.mkdirSync(join(output, "sub"), { recursive: true });
            w.fs.writeFileSync(join(output, "sub/file"), `${name} ${mentions.join(" ")}`);
          });
          return yield* s.registerOutput({ name, directory: output, candidates: mentions, deriver });
        }),
      ),
    );

  /** y, which has a root, needs x; both were built. The content of x has changed. */
  const damagedStore = async (): Promise<{ readonly w: World; readonly built: Built }> => {
    const w = worlds["memory"]!(t);
    const built = await w.run(
      Effect.gen(function* () {
        const s = yield* Store;
        const derivation = (yield* s.addText("x.drv", "how x is made", [])) as DerivationPath;
        const x = yield* buildTree(w, "x", [], derivation);
        const y = yield* buildTree(w, "y", [x.path], derivation);
        yield* s.addRoot(join(w.directory, "result"), y.path);
        return { x, y, derivation };
      }),
    );
    const file = join(w.directory, "store", built.x.path, "sub/file");
    w.fs.chmodSync(file, 0o644);
    w.fs.writeFileSync(file, "rotten");
    return { w, built };
  };

  /** Repairs with what builds x as long as its derivation is known and there. */
  const repair = (w: World): Effect.Effect<Verification, StoreError, Store> =>
    store((s) =>
      Effect.gen(function* () {
        const context = yield* Effect.context<Store>();
        return yield* s.verify({
          repair: true,
          remake: ({ path, deriver }) =>
            Effect.gen(function* () {
              if (deriver === undefined || !(yield* s.isValid(deriver))) return yield* Effect.fail("nobody knows how");
              if (path.endsWith("-x")) yield* buildTree(w, "x", [], deriver);
            }).pipe(Effect.provideContext(context)),
        });
      }),
    );

  const isWhole = async (t: Test, w: World, { x, y, derivation }: Built, when: string): Promise<void> => {
    await w.run(
      store((s) =>
        Effect.gen(function* () {
          t.strictSame((yield* s.verify()).problems, [], `nothing is wrong ${when}`);
          t.strictSame(yield* s.pathInfo(x.path), x, `all is known of what was damaged ${when}`);
          t.strictSame(yield* s.pathInfo(y.path), y, `and of what needs it ${when}`);
          t.ok(yield* s.isValid(derivation), `how it is made is known ${when}`);
          t.strictSame(w.fs.readdirSync(s.layout.withdrawn), [], `and nothing is left to be made ${when}`);
        }),
      ),
    );
  };

  t.test("that is killed at any moment, and followed by garbage collection, is ended by the next one", async (t) => {
    let current = await damagedStore();
    const prepare = async (): Promise<World> => (current = await damagedStore()).w;
    const act = Effect.suspend(() => repair(current.w));
    const calls = await killedAtEachCall(prepare, act, async (w, call) => {
      await w.run(store((s) => s.collectGarbage()));
      await w.run(repair(w));
      await isWhole(t, w, current.built, `after call ${call}`);
    });
    t.ok(calls > 50, `killed at ${calls} calls`);
  });

  t.test("that could not make a path again leaves to the next one all that is known", async (t) => {
    const { w, built } = await damagedStore();
    const { x, y, derivation } = built;
    const failed = await w.run(
      store((s) => s.verify({ repair: true, remake: () => Effect.fail(new Error("no network")) })),
    );
    t.strictSame(failed.invalidated, [x.path, y.path].sort());
    t.match(failed.failures, [{ paths: [x.path], cause: { message: "no network" } }]);
    t.strictSame((await w.run(store((s) => s.collectGarbage()))).deleted, [], "how it is made is kept for y's root");
    t.strictSame((await w.run(repair(w))).repaired, [x.path, y.path].sort());
    await isWhole(t, w, built, "in the end");

    w.fs.rmSync(join(w.directory, "store", x.path), { recursive: true });
    await w.run(store((s) => s.verify({ repair: true })));
    w.fs.unlinkSync(join(w.directory, "result"));
    const { deleted, leftovers } = await w.run(store((s) => s.collectGarbage()));
    t.strictSame([deleted, leftovers], [[derivation], [baseName(y.path)]]);
    const { withdrawn } = (await w.run(store((s) => Effect.succeed(s)))).layout;
    t.strictSame(w.fs.readdirSync(withdrawn), [], "what nothing needs is not remembered");
  });

  t.test("tries each path once, after what it is made from, and names a reason once", async (t) => {
    const { w, built } = await damagedStore();
    const { a, b, c, layout } = await w.run(graph(w));
    for (const path of [a, b, c, built.derivation]) w.fs.unlinkSync(join(layout.objects, baseName(path)));
    const tried: StorePath[] = [];
    const broken = new Error("the build of a fails");
    const { failures, repaired } = await w.run(
      store((s) =>
        s.verify({
          repair: true,
          remake: ({ path }) =>
            Effect.suspend((): Effect.Effect<unknown, unknown> => {
              tried.push(path);
              return path === built.derivation ? s.addText("x.drv", "how x is made", []) : Effect.fail(broken);
            }),
        }),
      ),
    );
    const order = (path: StorePath): number => tried.indexOf(path);
    t.strictSame([...tried].sort(), [a, b, c, built.derivation, built.x.path].sort(), "each once");
    t.ok(order(a) < order(b) && order(b) < order(c), "after what it refers to");
    t.ok(order(built.derivation) < order(built.x.path), "after the derivation that makes it");
    t.strictSame(repaired, [built.derivation]);
    t.strictSame(failures, [{ paths: [a, b, c, built.x.path].sort(), cause: broken }]);
  });

  t.test("leaves alone what another process has mended meanwhile", async (t) => {
    const { w, built } = await damagedStore();
    const place = join(w.directory, "store", built.x.path);
    let mended: number | undefined;
    const { repaired } = await w.run(
      store((s) =>
        s.verify({
          repair: true,
          remake: () =>
            Effect.promise(async () => {
              await w.run(repair(w));
              mended = w.fs.lstatSync(place).ino;
            }),
        }),
      ),
    );
    t.strictSame(repaired, [built.x.path]);
    t.equal(w.fs.lstatSync(place).ino, mended);
    await isWhole(t, w, built, "after both");
  });

  t.test("does not take for damaged what it may not open", async (t) => {
    const { w, built } = await damagedStore();
    const refuse = (): never => {
      throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    };
    const poor = Object.assign(Object.create(w.fs), {
      openSync: (path: string, flags: string) => (path.endsWith("sub/file") ? refuse() : w.fs.openSync(path, flags)),
    }) as typeof nodeFs;
    t.match(await world(poor, w.directory).fail(store((s) => s.verify({ repair: true }))), {
      _tag: "StoreIoError",
      message: /too many open files/,
    });
    t.ok(w.fs.existsSync(infoFile(layoutOf(join(w.directory, "store")), built.y.path)));
  });

  t.test("seals what a process was killed before it could", async (t) => {
    const { w, built } = await damagedStore();
    const { y } = built;
    await w.run(repair(w));
    const place = join(w.directory, "store", y.path);
    w.fs.unlinkSync(infoFile(layoutOf(join(w.directory, "store")), y.path));
    w.fs.chmodSync(place, 0o755);
    w.fs.lutimesSync(place, 2000, 2000);
    t.strictSame((await w.run(repair(w))).repaired, [y.path]);
    const { mode, mtimeMs } = w.fs.lstatSync(place);
    t.strictSame([mode & 0o777, mtimeMs], [0o555, 1000]);
  });
  t.end();
});

void t.test("roots", (t) => {
  const target = store((s) => s.addText("kept", "kept", []));
  const prepare = async (): Promise<World> => {
    const w = worlds["memory"]!(t);
    await w.run(Effect.flatMap(target, (path) => store((s) => s.addRoot(join(w.directory, "earlier"), path))));
    w.fs.unlinkSync(join(w.directory, "earlier"));
    return w;
  };
  const addRoot = (link: string) => Effect.flatMap(target, (path) => store((s) => s.addRoot(link, path)));
  /** Whether a link's path survives garbage collection. */
  const holds = async (t: Test, w: World, link: string, when: string): Promise<void> => {
    await w.run(store((s) => s.collectGarbage()));
    const linked = w.fs.lstatSync(link, { throwIfNoEntry: false }) !== undefined;
    await w.run(
      store((s) =>
        Effect.gen(function* () {
          t.equal((yield* s.roots).length, linked ? 1 : 0, `the link is known, once, ${when}`);
          t.equal(w.fs.readdirSync(s.layout.roots).length, linked ? 1 : 0, `no entry is left over ${when}`);
          if (linked) t.equal(w.fs.readFileSync(link, "utf8"), "kept", `its path is there ${when}`);
        }),
      ),
    );
  };

  for (const link of ["/w/result", "/w/earlier"]) {
    t.test(`a kill leaves no link at ${link} that garbage collection does not know`, async (t) => {
      const calls = await killedAtEachCall(prepare, addRoot(link), (w, call) =>
        holds(t, w, link, `after call ${call}`),
      );
      t.ok(calls > 10, `killed at ${calls} calls`);
    });

    t.test(`collection beside the making of ${link} forgets nothing`, async (t) => {
      let over = false;
      for (let last = 0; !over; last++) {
        const w = await prepare();
        over = true;
        const slow = watched(w.fs, async (call) => {
          if (call !== last) return;
          over = false;
          await w.run(store((s) => s.collectGarbage()));
        });
        // Whoever finds its path collected before it began to use it would build it again.
        await world(slow, w.directory)
          .run(addRoot(link))
          .catch(() => {});
        t.ok(w.fs.lstatSync(link).isSymbolicLink());
        await holds(t, w, link, `with a collection before call ${last}`);
      }
    });
  }

  t.test("are seen by a collection during which they are made by a process that ends", async (t) => {
    const link = "/w/result";
    let over = false;
    for (let last = 0; !over; last++) {
      const w = await prepare();
      const begin = gate();
      const ready = gate();
      const process = w.run(
        Effect.gen(function* () {
          yield* target;
          ready.open();
          yield* Effect.promise(() => begin.opened);
          yield* addRoot(link);
        }),
      );
      await ready.opened;
      over = true;
      const slow = watched(w.fs, async (call) => {
        if (call !== last) return;
        over = false;
        begin.open();
        await process;
      });
      await world(slow, w.directory).run(store((s) => s.collectGarbage()));
      begin.open();
      await process;
      await holds(t, w, link, `made before call ${last}`);
    }
  });

  t.test("are known by whatever name the store is called", async (t) => {
    const w = worlds["disk"]!(t);
    const link = join(w.directory, "result");
    nodeFs.symlinkSync(w.directory, `${w.directory}-alias`);
    t.teardown(() => nodeFs.unlinkSync(`${w.directory}-alias`));
    await world(nodeFs, `${w.directory}-alias`).run(addRoot(link));
    const { deleted } = await w.run(store((s) => s.collectGarbage()));
    t.strictSame(deleted, []);
    t.strictSame(
      (await w.run(store((s) => s.roots))).map((root) => root.link),
      [link],
    );
  });
  t.end();
});

void t.test("a path is protected although the disk was full when it was first asked for", async (t) => {
  const w = worlds["memory"]!(t);
  const { a, b, c, layout } = await w.run(graph(w));
  let full = false;
  const filling = Object.assign(Object.create(w.fs), {
    writeSync: (descriptor: number, bytes: Buffer, from: number, length: number) => {
      if (!full || length < 40) return w.fs.writeSync(descriptor, bytes, from, length);
      // Half a line fits.
      if (from === 0) return w.fs.writeSync(descriptor, bytes, from, 20);
      throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    },
  }) as typeof nodeFs;
  await world(filling, w.directory).run(
    store((s) =>
      Effect.gen(function* () {
        yield* s.protect([a]);
        full = true;
        const both = yield* Effect.all([Effect.exit(s.protect([b])), Effect.exit(s.protect([b, c]))], {
          concurrency: 2,
        });
        t.strictSame(
          both.map(({ _tag }) => _tag),
          ["Failure", "Failure"],
        );
        full = false;
        yield* s.protect([b, c]);
        const [user] = w.fs.readdirSync(layout.users);
        const lines = w.fs.readFileSync(join(layout.users, user!), "utf8").split("\n");
        for (const path of [a, b, c]) t.ok(lines.includes(baseName(path)), `${path} is written down`);
      }),
    ),
  );
});

void t.test("questions about closures", async (t) => {
  const w = worlds["memory"]!(t);
  await w.run(
    Effect.gen(function* () {
      const { a, b, c, tree } = yield* graph(w);
      t.strictSame(yield* whyDepends(c, a), [c, b, a]);
      t.strictSame(yield* whyDepends(c, c), [c]);
      t.equal(yield* whyDepends(a, c), undefined);
      const sizes = yield* closureSize(c);
      t.equal(sizes.paths, 3);
      t.ok(sizes.closure > sizes.own && sizes.own > 0);
      const s = yield* Store;
      const longer = yield* s.addText("c", `now see ${a} and not the other one`, [a]);
      const [first, second, ...more] = yield* diffClosures(c, longer);
      t.strictSame(more, []);
      t.match(first, { name: "b", removed: [b], added: [] });
      t.ok(first!.growth < 0);
      t.match(second, { name: "c", removed: [c], added: [longer] });
      t.match(yield* Effect.flip(closureSize(parseStorePath(`${tree}x`))).pipe(Effect.orDie), {
        _tag: "InvalidPathError",
      });
    }),
  );
});

/** How often a process is killed: `HELIOS_TEST_KILLS=1000` for a night. */
const kills = Number(process.env["HELIOS_TEST_KILLS"] ?? 12);
/** After how many kills the whole store is looked at: of a long run, fifty times, since the store grows to gigabytes. */
const looks = Math.max(4, Math.ceil(kills / 50));
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
    if (count % looks === 0) {
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
      t.strictSame(nodeFs.readdirSync(store.layout.locks), [], "nor a lock of theirs");
    }),
  );
});

void t.test("of many processes that find the lock of a dead one, one gets it", async (t) => {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "lock-test-"));
  t.teardown(() => deleteTree(nodeFs, directory));
  const locks = join(directory, "locks");
  nodeFs.mkdirSync(locks);
  const worker = join(import.meta.dirname, "kill/lock-worker.ts");
  const children = Array.from({ length: 4 }, (_, index) => {
    const own = join(directory, `${index}`);
    nodeFs.mkdirSync(own);
    return spawn(process.execPath, ["--import=tsx", worker, locks, own, "250"], { stdio: ["pipe", "pipe", "inherit"] });
  });
  const outputs = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  for (const output of outputs) t.equal((await output.next()).value, "ready");
  for (const child of children) child.stdin.write("go\n");
  for (const output of outputs) t.equal((await output.next()).value, "violations 0");
  t.strictSame(
    nodeFs.readdirSync(locks).filter((name) => name.endsWith(".claim") && !name.startsWith("4194305")),
    [],
  );
});
