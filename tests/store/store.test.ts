/** Long, since it is one contract: every store, in memory and on a disk, has to keep all of it. */
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { formatSri, parseHash, sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import { makeStorePath, parseStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { uniqueName, writeAtomically, writeNew } from "#lib/store/atomic-file.ts";
import type { StoreError } from "#lib/store/errors.ts";
import { defaultRoot, infoFile, layoutOf } from "#lib/store/layout.ts";
import { Store, type StoreShape } from "#lib/store/store.ts";
import { deleteTree } from "#lib/store/tree.ts";
import { memory, refusing } from "../memory.ts";
import { failure, store, type World, world, worlds, writeSource } from "./worlds.ts";

const srcPath = "/nix/store/p5l67fyalqlmx8l45fhkgzsisbh6clmf-src";
const input = parseStorePath("/nix/store/fnlla6mjqvkrpgrdcgc90lbcbapbagkw-ca-plain");
const other = parseStorePath("/nix/store/9f577i78q62dmcf49lng5pa8yvdwnjvr-other");
const scratch = makeStorePath("scratch", "0".repeat(64), "out");

/** Builds something aside, as a builder would, and registers it. */
const build = (
  { fs, directory }: World,
  write: (output: string) => void,
  options: Partial<Parameters<StoreShape["registerOutput"]>[0]> = {},
): Effect.Effect<StorePath, StoreError, Store> =>
  store((s) => {
    const output = join(directory, "store/nix/var/helios/tmp/built");
    fs.rmSync(output, { recursive: true, force: true });
    write(output);
    return Effect.map(
      s.registerOutput({ name: "out", directory: output, candidates: [], ...options }),
      (info) => info.path,
    );
  });

for (const [name, makeWorld] of Object.entries(worlds)) {
  void t.test(`a store in ${name}`, (t) => {
    t.test("adds texts where Nix does, once", async (t) => {
      const w = makeWorld(t);
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const a = yield* s.addText("a.txt", "hello\n", []);
            t.equal(a, "/nix/store/8hb1zapwkfr1j7zmxj7s7wj2pgci7zjm-a.txt");
            const b = yield* s.addText("b.txt", `ref ${a}`, [a]);
            t.equal(b, "/nix/store/g3ayx1v5x8dsvzxlk7bdcxiazzhl5c5z-b.txt");
            t.equal(yield* s.addText("a.txt", "hello\n", []), a);
            t.equal(w.fs.readFileSync(s.physical(b), "utf8"), `ref ${a}`);
            const info = yield* s.pathInfo(a);
            t.equal(formatSri(info!.narHash), "sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM=");
            t.equal(info!.narSize, 120);
            t.strictSame(yield* s.closure([b]), [a, b].sort());
          }),
        ),
      );
    });

    t.test("adds sources where Nix does, and only what is included", async (t) => {
      const w = makeWorld(t);
      const root = join(w.directory, "src");
      writeSource(w.fs, root);
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            t.equal(yield* s.sourcePath(source({ path: root })), srcPath);
            t.notOk(yield* s.isValid(parseStorePath(srcPath)));
            t.equal(yield* s.addSource(source({ path: root })), srcPath);
            t.ok(yield* s.isValid(parseStorePath(srcPath)));
            t.equal(yield* s.addSource(source({ path: root })), srcPath);
            t.equal(w.fs.readFileSync(join(s.physical(srcPath), "a.txt"), "utf8"), "alpha\n");
            t.equal(w.fs.readlinkSync(join(s.physical(srcPath), "link")), "a.txt");
            const part = yield* s.addSource(source({ path: root, include: ["sub/empty", "link"] }));
            t.strictSame(w.fs.readdirSync(s.physical(part)).sort(), ["link", "sub"]);
            const file = yield* s.addSource(source({ path: join(root, "a.txt") }));
            t.equal(file, "/nix/store/6mff30gq0wf23ylaj5hw3w1b669ym3la-a.txt");
          }),
        ),
      );
      const missing = await w.fail(store((s) => s.addSource(source({ path: root, include: ["nope"] }))));
      t.match(missing, { _tag: "MissingIncludeError", message: /includes 'nope', which does not exist/ });
      const absent = await w.fail(store((s) => s.addSource(source({ path: join(w.directory, "absent") }))));
      t.match(absent, { _tag: "StoreIoError", message: /cannot read the source '.*absent': there is no such/ });
    });

    t.test("leaves out what a source's ignore files name", async (t) => {
      const w = makeWorld(t);
      const root = join(w.directory, "project");
      w.fs.mkdirSync(join(root, "target/debug"), { recursive: true });
      w.fs.mkdirSync(join(root, "src"));
      for (const [path, text] of [
        [".gitignore", "/target/\n*.o\n"],
        ["target/debug/app", "built by hand"],
        ["src/käse.rs", "fn main() {}"],
        ["src/main.o", ""],
        ["README", ""],
      ] as const) {
        w.fs.writeFileSync(join(root, path), text);
      }
      const add = (options: { readonly gitignore?: boolean; readonly include?: readonly string[] }) =>
        w.run(store((s) => Effect.map(s.addSource(source({ path: root, ...options })), (path) => s.physical(path))));
      const own = await add({ gitignore: true });
      t.strictSame(w.fs.readdirSync(own).sort(), [".gitignore", "README", "src"]);
      t.strictSame(w.fs.readdirSync(join(own, "src")), ["käse.rs"]);
      t.strictSame(w.fs.readdirSync(await add({ gitignore: true, include: ["src"] })), ["src"]);
      t.ok(w.fs.readdirSync(await add({})).includes("target"));
      const before = own;
      w.fs.writeFileSync(join(root, "target/debug/other"), "");
      t.equal(await add({ gitignore: true }), before, "what lies about changes nothing");
      const file = await w.run(store((s) => s.addSource(source({ path: join(root, "README"), gitignore: true }))));
      t.match(file, /-README$/);
      const absent = await w.fail(store((s) => s.addSource(source({ path: join(root, "absent"), gitignore: true }))));
      t.match(absent, { _tag: "StoreIoError", message: /cannot read the source '.*absent': there is no such/ });
    });

    t.test("makes what is added canonical", async (t) => {
      const w = makeWorld(t);
      const path = await w.run(
        build(
          w,
          (output) => {
            writeSource(w.fs, output);
            w.fs.chmodSync(join(output, "run.sh"), 0o4755);
            w.fs.chmodSync(join(output, "a.txt"), 0o600);
            w.fs.chmodSync(join(output, "sub"), 0o700);
          },
          { name: "src" },
        ),
      );
      t.equal(path, srcPath);
      const physical = join(w.directory, "store", srcPath);
      const states = ["", "a.txt", "run.sh", "sub", "sub/empty"].map((file) => {
        const { mode, mtimeMs } = w.fs.lstatSync(join(physical, file));
        return [file, (mode & 0o7777).toString(8), mtimeMs];
      });
      t.strictSame(states, [
        ["", "555", 1000],
        ["a.txt", "444", 1000],
        ["run.sh", "555", 1000],
        ["sub", "555", 1000],
        ["sub/empty", "444", 1000],
      ]);
      t.equal(w.fs.lstatSync(join(physical, "link")).mtimeMs, 1000);
      t.notOk(w.fs.existsSync(join(w.directory, "store/nix/var/helios/tmp/built")), "what was built aside is gone");
    });

    t.test("finds references wherever the hash part stands", async (t) => {
      const w = makeWorld(t);
      const references = (write: (output: string) => void): Promise<readonly StorePath[]> =>
        w.run(
          Effect.gen(function* () {
            const s = yield* Store;
            const path = yield* build(w, write, { candidates: [input, other] });
            return (yield* s.pathInfo(path))!.references;
          }),
        );
      const text = (content: string) => (output: string) => w.fs.writeFileSync(output, content);
      const part = input.slice(11, 43);
      t.strictSame(await references(text(`xx${part}yy`)), [input]);
      t.strictSame(await references(text("/nix/store/8hb1zapwkfr1j7zmxj7s7wj2pgci7zjm-not-an-input")), []);
      t.strictSame(await references(text("nothing")), []);
      t.strictSame(await references(text(part.toUpperCase())), []);
      t.strictSame(await references(text(`${part.slice(0, 16)} ${part.slice(16)}`)), []);
      t.strictSame(await references((output) => w.fs.symlinkSync(`${input}/bin`, output)), [input]);
      t.strictSame(
        await references((output) => {
          w.fs.mkdirSync(output);
          w.fs.writeFileSync(join(output, `a${part}b`), "");
        }),
        [input],
      );
      t.strictSame(await references(text(`${other} ${input}`)), [other, input].sort());
    });

    t.test("refuses an output that mentions itself, and says where", async (t) => {
      const w = makeWorld(t);
      const error = await w.fail(
        build(
          w,
          (output) => {
            w.fs.mkdirSync(join(output, "lib"), { recursive: true });
            w.fs.writeFileSync(join(output, "a"), "harmless");
            w.fs.writeFileSync(join(output, "lib/libfoo.la"), `libdir=${scratch}/lib`);
          },
          { scratch },
        ),
      );
      t.match(error, { _tag: "SelfReferenceError", message: /mentions its own store path in 'lib\/libfoo.la'/ });
    });

    t.test("checks what a fixed output promises", async (t) => {
      const w = makeWorld(t);
      const text = (output: string): void => w.fs.writeFileSync(output, "hello\n");
      const flat = { mode: "flat", hash: sha256("hello\n") } as const;
      t.equal(
        await w.run(build(w, text, { name: "hello", expected: flat })),
        "/nix/store/8zv8i345w2xn27jrxj4cyjc6x3b4am1q-hello",
      );
      const nar = parseHash("sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM=");
      t.equal(
        await w.run(build(w, text, { name: "hello", expected: { mode: "recursive", hash: nar } })),
        "/nix/store/gwina1sjk7g95wq6fxc6b7s1hza53h74-hello",
      );
      const wrong = await w.fail(build(w, (output) => w.fs.writeFileSync(output, "other"), { expected: flat }));
      t.match(wrong, { _tag: "OutputHashError", message: /expected: sha256-WJG.*\n.*actual: {3}sha256-2Sm/ });
      const directory = await w.fail(build(w, (output) => void w.fs.mkdirSync(output), { expected: flat }));
      t.match(directory, { _tag: "OutputTypeError", message: /is a directory/ });
      const mention = `see ${input}`;
      const forbidden = await w.fail(
        build(w, (output) => w.fs.writeFileSync(output, mention), {
          expected: { mode: "flat", hash: sha256(mention) },
          candidates: [input],
        }),
      );
      t.match(forbidden, { _tag: "ForbiddenReferenceError" });
    });

    t.test("takes an output that is there already as it is", async (t) => {
      const w = makeWorld(t);
      const write = (output: string): void => w.fs.writeFileSync(output, "same");
      const first = await w.run(build(w, write));
      const second = await w.run(build(w, write));
      t.equal(first, second);
      t.notOk(w.fs.existsSync(join(w.directory, "store/nix/var/helios/tmp/built")));
    });

    t.test("takes a path without its info file for a leftover", async (t) => {
      const w = makeWorld(t);
      const root = join(w.directory, "src");
      writeSource(w.fs, root);
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            w.fs.mkdirSync(s.physical(srcPath), { recursive: true });
            w.fs.writeFileSync(join(s.physical(srcPath), "half"), "written");
            t.notOk(yield* s.isValid(parseStorePath(srcPath)));
            yield* s.addSource(source({ path: root }));
            t.notOk(w.fs.existsSync(join(s.physical(srcPath), "half")));
            w.fs.writeFileSync(infoFile(s.layout, input), "{");
            t.notOk(yield* s.isValid(input), "a damaged info file is none");
          }),
        ),
      );
    });

    t.test("remembers realisations as long as their path is valid", async (t) => {
      const w = makeWorld(t);
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const path = yield* s.addText("a", "b", []);
            const key = `sha256:${"0".repeat(64)}!out` as const;
            t.equal(yield* s.realisation(key), undefined);
            yield* s.addRealisation({ key, path });
            t.strictSame(yield* s.realisation(key), { key, path });
            const invalid = yield* failure(s.addRealisation({ key, path: input }));
            t.match(invalid, { _tag: "InvalidPathError", message: /is not in the store/ });
            t.match(yield* failure(s.closure([path, input])), { _tag: "InvalidPathError" });
          }),
        ),
      );
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const key = `sha256:${"0".repeat(64)}!out` as const;
            w.fs.unlinkSync(infoFile(s.layout, (yield* s.realisation(key))!.path));
          }),
        ),
      );
      t.equal(await w.run(store((s) => s.realisation(`sha256:${"0".repeat(64)}!out`))), undefined);
    });

    t.test("keeps a root while its link exists", async (t) => {
      const w = makeWorld(t);
      const link = join(w.directory, "result");
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const a = yield* s.addText("a", "a", []);
            const b = yield* s.addText("b", "b", []);
            yield* s.addRoot(link, a);
            yield* s.addRoot(link, b);
            t.equal(w.fs.readFileSync(link, "utf8"), "b");
            t.strictSame(yield* s.roots, [{ link, target: b }]);
            w.fs.unlinkSync(link);
            t.strictSame(yield* s.roots, []);
            w.fs.writeFileSync(link, "mine");
            t.match(yield* failure(s.addRoot(link, a)), { _tag: "RootLinkError", message: /a file is there/ });
            const nowhere = join(w.directory, "none/result");
            t.match(yield* failure(s.addRoot(nowhere, a)), {
              _tag: "RootLinkError",
              message: `cannot make the link '${nowhere}': there is no such directory. Choose another place with --out-link`,
            });
            t.strictSame(yield* s.roots, []);
          }),
        ),
      );
    });

    t.test("gives a lock to one at a time", async (t) => {
      const w = makeWorld(t);
      const events: string[] = [];
      const layer = Store.layer({ root: join(w.directory, "store") }).pipe(
        Layer.provide(Layer.succeed(FileSystem, w.fs)),
        // Two stores in one process meet at the lock file, as two processes do.
        Layer.fresh,
      );
      const work = (who: string): Promise<void> =>
        Effect.runPromise(
          Effect.provide(
            store((s) =>
              s.withLock(
                input,
                Effect.gen(function* () {
                  events.push(`${who} in`);
                  yield* Effect.sleep(20);
                  events.push(`${who} out`);
                }),
              ),
            ),
            layer,
          ),
        );
      await Promise.all([work("a"), work("b"), work("c")]);
      t.equal(events.length, 6);
      for (let index = 0; index < 6; index += 2) {
        t.equal(events[index + 1], events[index]!.replace(" in", " out"));
      }
      t.strictSame(w.fs.readdirSync(join(w.directory, "store/nix/var/helios/locks")), []);
    });

    t.test("breaks the lock and removes the leftovers of a dead process, not of a running one", async (t) => {
      const w = makeWorld(t);
      await w.run(
        store((s) =>
          Effect.gen(function* () {
            const mine = yield* s.temporaryDirectory;
            const own = mine.slice(mine.lastIndexOf("/") + 1);
            const dead = own.replace(/^\d+/, "4194305");
            w.fs.writeFileSync(join(s.layout.locks, "fnlla6mjqvkrpgrdcgc90lbcbapbagkw-ca-plain.lock"), dead);
            w.fs.mkdirSync(join(s.layout.temporary, dead, "tree"), { recursive: true });
            w.fs.chmodSync(join(s.layout.temporary, dead, "tree"), 0o555);
            t.ok((yield* s.removeLeftovers) >= 1);
            t.strictSame(
              w.fs.readdirSync(s.layout.temporary).filter((entry) => entry.startsWith("4194305")),
              [],
            );
            t.ok(w.fs.existsSync(mine));
            t.equal(yield* s.withLock(input, Effect.succeed("got it")), "got it");
          }).pipe(Effect.scoped),
        ),
      );
      t.strictSame(
        w.fs.readdirSync(join(w.directory, "store/nix/var/helios/users")),
        [],
        "the list of used paths goes with the store's layer",
      );
    });

    t.test("lets waiting for a lock be interrupted", async (t) => {
      const w = makeWorld(t);
      const exit = await w.run(
        store((s) =>
          Effect.gen(function* () {
            w.fs.writeFileSync(
              join(s.layout.locks, "fnlla6mjqvkrpgrdcgc90lbcbapbagkw-ca-plain.lock"),
              // Another process namespace: it cannot be seen whether that process runs.
              "1.1.0.1\n".replace(
                ".0.",
                `.${nodeFs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").replace(/[^0-9a-f]/g, "")}.`,
              ),
            );
            return yield* Effect.exit(s.withLock(input, Effect.void).pipe(Effect.timeout(50)));
          }),
        ),
      );
      t.ok(Exit.isFailure(exit));
    });
    t.end();
  });
}

void t.test("names that are asked for at once differ", async (t) => {
  const names = await Promise.all(Array.from({ length: 50 }, () => uniqueName()));
  t.equal(new Set(names).size, 50);
});

void t.test("a store that nobody names is below an absolute directory of the user", async (t) => {
  const own = join(userInfo().homedir, ".local/share/helios");
  t.equal(defaultRoot({ HELIOS_STORE: "/store", XDG_DATA_HOME: "/data", HOME: "/home" }), "/store");
  t.equal(defaultRoot({ HELIOS_STORE: "", XDG_DATA_HOME: "/data", HOME: "/home" }), "/data/helios");
  t.equal(defaultRoot({ XDG_DATA_HOME: "data", HOME: "/home" }), "/home/.local/share/helios");
  for (const env of [{}, { HOME: "" }, { HOME: "here" }]) t.equal(defaultRoot(env), own, JSON.stringify(env));
});

void t.test("a store on a disk", (t) => {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "store-test-"));
  t.teardown(() => deleteTree(nodeFs, directory));
  const w = world(nodeFs, directory);

  t.test("refuses sockets and pipes", async (t) => {
    const error = await w.fail(
      build(w, (output) => {
        nodeFs.mkdirSync(output);
        execFileSync("mkfifo", [join(output, "pipe")]);
      }),
    );
    t.match(error, { _tag: "UnsupportedFileError", message: /pipe' is a named pipe/ });
  });

  t.test("does not share files with whoever has a link to them", async (t) => {
    const outside = join(directory, "outside");
    const path = await w.run(
      build(w, (output) => {
        nodeFs.mkdirSync(output);
        nodeFs.writeFileSync(join(output, "a"), "content");
        nodeFs.linkSync(join(output, "a"), join(output, "inside"));
        nodeFs.writeFileSync(join(output, "b"), "content");
        nodeFs.linkSync(join(output, "b"), outside);
      }),
    );
    nodeFs.chmodSync(outside, 0o644);
    nodeFs.writeFileSync(outside, "changed");
    const physical = join(directory, "store", path);
    t.equal(nodeFs.readFileSync(join(physical, "b"), "utf8"), "content");
    t.equal(nodeFs.statSync(join(physical, "b")).nlink, 1);
    t.equal(nodeFs.statSync(join(physical, "b")).mode & 0o777, 0o444);
    t.equal(nodeFs.statSync(join(physical, "a")).nlink, 2, "links inside of the tree stay");
    t.equal(nodeFs.statSync(physical).mode & 0o777, 0o555);
  });

  t.test("holds file names that are not UTF-8", async (t) => {
    const name = Buffer.from([0x66, 0xff]);
    const path = await w.run(
      build(w, (output) => {
        nodeFs.mkdirSync(output);
        nodeFs.writeFileSync(Buffer.concat([Buffer.from(`${output}/`), name]), "x");
      }),
    );
    const root = join(directory, "store", path);
    t.strictSame(nodeFs.readdirSync(root, { encoding: "buffer" }), [name]);
    const again = await w.run(store((s) => s.addSource(source({ path: root, name: "out" }))));
    t.equal(again, path);
  });
  t.end();
});

void t.test("when the system refuses, the error says what to do and nothing half-written stays", async (t) => {
  for (const [code, remedy] of [
    ["ENOSPC", /disk is full. Free some space/],
    ["EROFS", /read-only. Make it writable, or choose another store with HELIOS_STORE/],
    ["EACCES", /permission denied/],
  ] as const) {
    const fs = memory();
    fs.mkdirSync("/w");
    const good = world(fs, "/w");
    await good.run(store((s) => s.addText("before", "kept", [])));
    writeSource(fs, "/w/src");
    const text = store((s: StoreShape) => s.addText("after", "x", []));
    const tree = store((s: StoreShape) => s.addSource(source({ path: "/w/src" })));
    for (const [call, add] of [
      ["open", text],
      ["rename", text],
      ["mkdir", tree],
      ["rename", tree],
      ["link", tree],
      ["lutimes", tree],
      ["open", tree],
    ] as const) {
      const error = await world(refusing(fs, call, code), "/w").fail(add);
      t.match(error, { _tag: "StoreIoError", message: remedy }, `${code} from ${call}`);
      t.equal(fs.readdirSync("/w/store/nix/store").length, 1, `nothing is left after ${code} from ${call}`);
      t.equal(fs.readdirSync("/w/store/nix/var/helios/info").length, 1);
    }
    const path = await good.run(store((s) => s.addText("after", "x", [])));
    t.equal(await good.run(store((s) => s.isValid(path))), true);
  }
});

void t.test("a source is read once to be added, and not at all once more if its hash is known", async (t) => {
  const fs = memory();
  fs.mkdirSync("/w");
  writeSource(fs, "/w/src");
  let reads = 0;
  const counting: typeof nodeFs = Object.assign(Object.create(fs), {
    openSync: (path: string, ...rest: [never]) => {
      if (String(path).startsWith("/w/src/")) reads++;
      return fs.openSync(path, ...rest);
    },
  });
  const w = world(counting, "/w");
  const tree = source({ path: "/w/src" });
  const path = await w.run(store((s) => s.addSource(tree)));
  t.equal(reads, 3, "each file once");
  reads = 0;
  t.equal(await w.run(store((s) => s.addSource(tree, path))), path);
  t.equal(reads, 0, "it is there");
  await w.run(store((s) => s.collectGarbage()));
  t.equal(await w.run(store((s) => s.addSource(tree, path))), path);
  t.equal(reads, 3, "once, to be copied");
  t.equal(fs.readFileSync(join("/w/store", path, "run.sh"), "utf8"), "#!/bin/sh\necho hi\n");
});

void t.test("a store that can be read but not written answers questions", async (t) => {
  const fs = memory();
  fs.mkdirSync("/w");
  const path = await world(fs, "/w").run(store((s) => s.addText("a", "x", [])));
  let refused = 0;
  const readOnly = refusing(fs, "open", "EROFS");
  const counting: typeof nodeFs = Object.assign(Object.create(readOnly), {
    openSync: (...args: Parameters<typeof nodeFs.openSync>) => {
      try {
        return readOnly.openSync(...args);
      } catch (error) {
        refused++;
        throw error;
      }
    },
  });
  const bad = world(counting, "/w");
  t.equal(await bad.run(store((s) => s.isValid(path))), true);
  t.equal(refused, 1, "and was told that it may not write");
});

/** Mounts a file system of one and a half MiB; undefined where that is not allowed. */
function smallDisk(t: Test): string | undefined {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "store-test-"));
  t.teardown(() => deleteTree(nodeFs, directory));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1536k", "none", directory], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  t.teardown(() => void execFileSync("umount", [directory]));
  return directory;
}

void t.test("what cannot even be removed does not hide why it could not be written", async (t) => {
  const fs = memory();
  const refuse = (code: string) => (): never => {
    throw Object.assign(new Error(`${code}: refused`), { code });
  };
  // A disk that fails is often made read-only at once.
  const failing = Object.assign(Object.create(fs), { writeSync: refuse("EIO"), unlinkSync: refuse("EROFS") });
  await t.rejects(writeNew(failing, "/file", "x", 0o644), { code: "EIO" });
  const unmovable = Object.assign(Object.create(fs), { renameSync: refuse("EIO"), unlinkSync: refuse("EROFS") });
  await t.rejects(writeAtomically(unmovable, "/", "/file", "x"), { code: "EIO" });
});

void t.test("a read-only store of an older version, which had fewer directories, can be read from", async (t) => {
  for (const code of ["EROFS", "EACCES"]) {
    const fs = memory();
    fs.mkdirSync("/w");
    const path = await world(fs, "/w").run(store((s) => s.addText("before", "kept", [])));
    fs.rmdirSync(layoutOf("/w/store").withdrawn);
    const mkdir = async (directory: string) => {
      throw Object.assign(new Error("refused"), { code: fs.existsSync(directory) ? "EEXIST" : code });
    };
    const old = Object.assign(Object.create(fs), { promises: Object.assign(Object.create(fs.promises), { mkdir }) });
    const w = world(old, "/w");
    t.equal(await w.run(store((s) => s.isValid(path))), true);
    t.strictSame((await w.run(store((s) => s.verify()))).problems, []);
    t.strictSame((await w.run(store((s) => s.collectGarbage({ dryRun: true })))).deleted, [path]);
    t.match(await world(old, "/w/none").fail(store((s) => s.isValid(path))), { _tag: "StoreIoError", cause: { code } });
  }
});

void t.test("a disk that is really full, then really read-only", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return void t.pass("mounting is not allowed here");
  const w = world(nodeFs, disk);
  const before = await w.run(store((s) => s.addText("before", "kept", [])));
  const large = join(disk, "large");
  nodeFs.mkdirSync(large);
  for (let file = 0; file < 10; file++) nodeFs.writeFileSync(join(large, `${file}`), Buffer.alloc(100_000, file));
  const full = await w.fail(store((s) => s.addSource(source({ path: large }))));
  t.match(full, { _tag: "StoreIoError", message: /the disk is full\. Free some space/ });
  t.strictSame(nodeFs.readdirSync(join(disk, "store/nix/store")).length, 1);
  t.strictSame(nodeFs.readdirSync(join(disk, "store/nix/var/helios/tmp")), [], "the space is free again");
  nodeFs.rmSync(join(large, "9"));
  for (let file = 4; file < 9; file++) nodeFs.rmSync(join(large, `${file}`));
  const path = await w.run(store((s) => s.addSource(source({ path: large }))));
  t.strictSame((await w.run(store((s) => s.verify()))).problems, []);

  execFileSync("mount", ["-o", "remount,ro", disk]);
  t.equal(await w.run(store((s) => s.isValid(path))), true, "what is there can be used");
  const planned = await w.run(store((s) => s.collectGarbage({ dryRun: true })));
  t.strictSame([...planned.deleted].sort(), [before, path].sort(), "what could be deleted can be asked");
  t.strictSame(await w.run(store((s) => s.closure([before, path]))), [before, path].sort());
  const refused = await w.fail(store((s) => s.addText("after", "x", [])));
  t.match(refused, {
    _tag: "StoreIoError",
    message: /is read-only\. Make it writable, or choose another store with HELIOS_STORE/,
  });
});
