/** What the engine takes for granted of its platform: of every file system alike, and of child processes. */
import * as Effect from "effect/Effect";
import * as nodeFs from "node:fs";
import { pipeline } from "node:stream/promises";
import t from "tap";
import { errorCode } from "#lib/platform/file-errors.ts";
import { Processes, run, SpawnError } from "#lib/platform/processes.ts";
import { processesWith } from "../build/host.ts";
import { worlds } from "../store/worlds.ts";

const codeOf = (promise: Promise<unknown>): Promise<string | undefined> => promise.then(() => "none", errorCode);

for (const [place, makeWorld] of Object.entries(worlds)) {
  void t.test(`a file system in ${place}`, (t) => {
    t.test("moves a file over another one, and a link as a link", async (t) => {
      const { fs, directory } = makeWorld(t);
      const { promises } = fs;
      await promises.writeFile(`${directory}/old`, "old");
      await promises.writeFile(`${directory}/new`, "new");
      await promises.rename(`${directory}/new`, `${directory}/old`);
      t.equal(await promises.readFile(`${directory}/old`, "utf8"), "new");
      await promises.symlink("old", `${directory}/link`);
      await promises.rename(`${directory}/link`, `${directory}/moved`);
      t.equal(await promises.readlink(`${directory}/moved`), "old");
      t.equal(await promises.readFile(`${directory}/old`, "utf8"), "new");
    });

    t.test("refuses to make what is there, which is what locks are", async (t) => {
      const { fs, directory } = makeWorld(t);
      const { promises } = fs;
      await promises.writeFile(`${directory}/mine`, "1");
      await promises.writeFile(`${directory}/lock`, "2");
      t.equal(await codeOf(promises.link(`${directory}/mine`, `${directory}/lock`)), "EEXIST");
      t.equal(await codeOf(promises.open(`${directory}/lock`, "wx")), "EEXIST");
      t.equal(await codeOf(promises.mkdir(`${directory}/lock`)), "EEXIST");
      t.equal(await codeOf(promises.symlink("x", `${directory}/lock`)), "EEXIST");
      t.equal(await promises.readFile(`${directory}/lock`, "utf8"), "2");
      await promises.link(`${directory}/mine`, `${directory}/second`);
      t.equal((await promises.stat(`${directory}/second`)).ino, (await promises.stat(`${directory}/mine`)).ino);
    });

    t.test("names what is missing, and what is no directory", async (t) => {
      const { fs, directory } = makeWorld(t);
      const { promises } = fs;
      for (const call of ["readFile", "lstat", "readlink", "unlink", "readdir", "realpath"] as const) {
        t.equal(await codeOf(promises[call](`${directory}/none`)), "ENOENT", call);
      }
      await promises.writeFile(`${directory}/file`, "");
      t.equal(await codeOf(promises.readdir(`${directory}/file`)), "ENOTDIR");
      await promises.mkdir(`${directory}/full/inner`, { recursive: true });
      t.equal(await codeOf(promises.rmdir(`${directory}/full`)), "ENOTEMPTY");
      await promises.rm(`${directory}/none`, { force: true });
    });

    t.test("keeps modes and times, those of links too", async (t) => {
      const { fs, directory } = makeWorld(t);
      const { promises } = fs;
      await promises.writeFile(`${directory}/file`, "");
      await promises.symlink("file", `${directory}/link`);
      await promises.chmod(`${directory}/file`, 0o555);
      await promises.lutimes(`${directory}/link`, 1, 1);
      t.equal((await promises.lstat(`${directory}/file`)).mode & 0o777, 0o555);
      t.equal((await promises.lstat(`${directory}/link`)).mtimeMs, 1000);
      t.not((await promises.lstat(`${directory}/file`)).mtimeMs, 1000, "what it leads to is left alone");
    });

    t.test("streams, and adds to the end", async (t) => {
      const { fs, directory } = makeWorld(t);
      const bytes = Buffer.alloc(300_000, "stream");
      await fs.promises.writeFile(`${directory}/from`, bytes);
      await pipeline(fs.createReadStream(`${directory}/from`), fs.createWriteStream(`${directory}/to`));
      await fs.promises.appendFile(`${directory}/to`, "end");
      t.ok((await fs.promises.readFile(`${directory}/to`)).equals(Buffer.concat([bytes, Buffer.from("end")])));
    });
    t.end();
  });
}

void t.test("child processes", (t) => {
  const inHost = <A, E>(effect: Effect.Effect<A, E, Processes>): Promise<A> =>
    Effect.runPromise(Effect.provide(effect, Processes.layer));
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };

  t.test("get exactly the variables and the input that they are given", async (t) => {
    process.env["HELIOS_TEST_SECRET"] = "secret";
    const { stdout, code } = await inHost(run({ command: "env", args: ["-0"], env: { ...env, ONLY: "this" } }));
    // The test runner gives every child some of its own.
    const variables = stdout.split("\0").filter((text) => !/^(?:$|NODE_OPTIONS=|_TAPJS_)/.test(text));
    t.strictSame([variables.sort(), code], [["ONLY=this", `PATH=${env.PATH}`], 0]);
    t.equal((await inHost(run({ command: "cat", args: [], env }, "said"))).stdout, "said");
    t.equal((await inHost(run({ command: "cat", args: [], env }))).stdout, "", "or none");
  });

  t.test("say how they ended", async (t) => {
    const end = (script: string) => inHost(run({ command: "sh", args: ["-c", script], env }));
    t.match(await end("echo out; echo err >&2; exit 3"), { code: 3, signal: null, stdout: "out\n", stderr: "err\n" });
    t.match(await end("kill -9 $$"), { code: null, signal: "SIGKILL" });
  });

  t.test("that cannot be started are named", async (t) => {
    const failure = (command: string) => inHost(Effect.flip(run({ command, args: [], env })));
    const missing = await failure("/nowhere/program");
    t.ok(missing instanceof SpawnError);
    t.match(missing.message, /cannot run '\/nowhere\/program': no such program\. Install it/);
    t.match((await failure("/etc")).message, /permission denied/);
  });

  t.test("die with their scope, with their children, whatever signals those ignore", async (t) => {
    await inHost(
      Effect.gen(function* () {
        const processes = yield* Processes;
        const script = "trap '' TERM HUP INT; sleep 1007.5 & echo started; sleep 1007.5";
        const { stdout } = yield* processes.spawn({ command: "sh", args: ["-c", script], env, stdin: "ignore" });
        yield* Effect.promise(() => new Promise((resolve) => stdout?.once("data", resolve)));
        t.ok((yield* Effect.promise(() => processesWith("1007.5"))).length >= 2, "they run");
      }).pipe(Effect.scoped),
    );
    for (let wait = 0; wait < 50 && (await processesWith("1007.5")).length > 0; wait++)
      await new Promise((resume) => setTimeout(resume, 20));
    t.strictSame(await processesWith("1007.5"), []);
  });
  t.end();
});

void t.test("memory is another file system than the disk", (t) => {
  const { fs, directory } = worlds["memory"]!(t);
  fs.writeFileSync(`${directory}/only-here`, "");
  t.notOk(nodeFs.existsSync(`${directory}/only-here`));
  t.end();
});
