import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { helios, root } from "../cli/rig.ts";

/** A flake that only unpacks the five packages of bubblewrap, from the host's real mirrors into a store of its own. */
const flakeText = `
import { main } from "#lib/cli/main.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { bubblewrapRequest } from "#pkgs/bubblewrap.ts";
import { makePackages } from "#pkgs/index.ts";

const flake = defineFlake({
  description: "Bad input",
  inputs: { debian: debianArchive({ archives: [] }) },
  outputs: ({ lock }) => {
    const pkgs = makePackages({ lock });
    return { systems: {}, checks: {}, packages: { get tool() { return pkgs.environment(bubblewrapRequest); } } };
  },
});
export default flake;
await main(flake, import.meta.url);
`;

interface LockFile {
  readonly version: number;
  readonly environments: Record<string, { readonly packages: string[]; readonly request: { packages: string[] } }>;
  readonly packages: Record<string, { version: string; sha256: string }>;
}

/** The part of the repository's lock file that this flake needs. */
async function pins(): Promise<LockFile> {
  const lock = JSON.parse(await readFile(join(root, "flake.lock"), "utf8")) as LockFile;
  const bubblewrap = lock.environments["bubblewrap"]!;
  return {
    version: lock.version,
    environments: { bubblewrap },
    packages: Object.fromEntries(bubblewrap.packages.map((path) => [path, lock.packages[path]!])),
  };
}

const poolFile = (lock: LockFile): string =>
  lock.environments["bubblewrap"]!.packages.find((path) => path.includes("/bubblewrap_"))!;

t.setTimeout(600_000);

t.test("bad input", async (t) => {
  const directory = t.testdir({ "flake.ts": flakeText });
  const lockFile = join(directory, "flake.lock");
  const store = join(directory, "store");
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    helios(["build", ".#tool", "--no-link", ...args], {
      flake: join(directory, "flake.ts"),
      cwd: directory,
      env: { HELIOS_STORE: store, ...env },
    });
  const write = (lock: LockFile) => writeFile(lockFile, JSON.stringify(lock));
  t.teardown(() => spawnSync("chmod", ["-R", "u+w", directory]));

  t.test(
    "a pinned file that is gone is an error with --locked; otherwise its environment is resolved anew",
    async (t) => {
      const lock = await pins();
      const path = poolFile(lock);
      const gone = path.replace(/bubblewrap_[^_]+_/, "bubblewrap_0.0.1-1_");
      const stale = JSON.parse(JSON.stringify(lock).replaceAll(path, gone)) as LockFile;
      await write(stale);
      const locked = await run(["--locked"]);
      t.equal(locked.code, 4, locked.stderr);
      t.match(locked.stderr, `${gone}\nRun 'update bubblewrap', or the same command without --locked`);
      t.equal(await readFile(lockFile, "utf8"), JSON.stringify(stale), "the lock file is untouched");

      const renewed = await run([]);
      t.equal(renewed.code, 0, renewed.stderr);
      t.match(
        renewed.stderr,
        /resolved bubblewrap \(\d+ packages\): bubblewrap_0\.0\.1-1_amd64\.deb is gone from every mirror/,
      );
      t.notMatch(await readFile(lockFile, "utf8"), "0.0.1-1", "the lock file has the new pin");
    },
  );

  t.test("other bytes than pinned are refused, with both hashes and where they came from", async (t) => {
    const lock = JSON.parse(await readFile(lockFile, "utf8")) as LockFile;
    const pinned = lock.packages[poolFile(lock)]!;
    const right = pinned.sha256;
    await removeStore(store);
    pinned.sha256 = "0".repeat(64);
    await write(lock);
    const refused = await run([]);
    t.equal(refused.code, 5, refused.stderr);
    t.match(refused.stderr, `expected sha256:${"0".repeat(64)}`);
    t.match(refused.stderr, `actual   sha256:${right}`);
    pinned.sha256 = right;
    await write(lock);
    t.equal((await run([])).code, 0, "the next run works");
  });

  t.test("'update' renews what files asked for too, and forgets it only when told to", async (t) => {
    const lock = JSON.parse(await readFile(lockFile, "utf8")) as LockFile;
    const { packages: pinned, ...request } = lock.environments["bubblewrap"]!;
    const stale = pinned.map((path) => path.replace(/bubblewrap_[^_]+_/, "bubblewrap_0.0.1-1_"));
    for (const [index, path] of stale.entries()) lock.packages[path] = lock.packages[pinned[index]!]!;
    lock.environments["gaia-base-0123456789ab"] = { packages: stale, ...request };
    await write(lock);
    const update = (...args: string[]) =>
      helios(["update", ...args], { flake: join(directory, "flake.ts"), cwd: directory, env: { HELIOS_STORE: store } });
    const pinnedNow = async () => (JSON.parse(await readFile(lockFile, "utf8")) as LockFile).environments;
    const renewed = await update();
    t.equal(renewed.code, 0, renewed.stderr);
    t.match(renewed.stdout, /needs gaia-base-0123456789ab: kept for files.*--prune/);
    t.strictSame((await pinnedNow())["gaia-base-0123456789ab"]?.packages, pinned, "the file's pins are renewed");
    const old = structuredClone(lock.environments["bubblewrap"]!);
    old.request.packages = ["no-such-package"];
    lock.environments["gaia-base-of-long-ago"] = old;
    await write(lock);
    const partly = await update();
    t.equal(partly.code, 0, partly.stderr);
    t.match(partly.stderr, /warning: .*'gaia-base-of-long-ago'.*no package 'no-such-package'\..*keeps its pins/);
    t.strictSame((await pinnedNow())["gaia-base-0123456789ab"]?.packages, pinned, "the others are renewed");
    t.strictSame((await pinnedNow())["gaia-base-of-long-ago"]?.packages, pinned);
    const asked = await update("gaia-base-of-long-ago");
    t.equal(asked.code, 4, asked.stderr);
    t.equal((await update("--prune")).code, 0);
    t.strictSame(Object.keys(await pinnedNow()), ["bubblewrap"]);
  });

  t.test("a build killed in its middle leaves nothing that the next run trips over", async (t) => {
    await removeStore(store);
    for (const moment of ["to do:", "downloaded", "building bubblewrap"]) {
      const child = spawn(
        process.execPath,
        ["--import=tsx", join(directory, "flake.ts"), "build", ".#tool", "--no-link"],
        {
          cwd: directory,
          env: { ...process.env, CI: "true", HELIOS_STORE: store },
          stdio: ["ignore", "ignore", "pipe"],
        },
      );
      let seen = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        seen += text;
        if (seen.includes(moment)) child.kill("SIGKILL");
      });
      const [code, signal] = (await once(child, "close")) as [number | null, string | null];
      t.ok(signal === "SIGKILL" || code === 0, `killed at '${moment}'`);
    }
    const next = await run(["--json"]);
    t.equal(next.code, 0, next.stderr);
    const [{ outputs }] = JSON.parse(next.stdout) as [{ outputs: { out: { file: string } } }];
    t.equal(spawnSync(join(outputs.out.file, "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"), ["--help"]).status, 0);
  });

  const canMount = process.getuid?.() === 0 ? false : "only root can mount a small file system";
  t.test("a full disk is an error of its own class, and enough space mends it", { skip: canMount }, async (t) => {
    const small = join(directory, "small");
    await mkdir(small);
    t.equal(spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", small]).status, 0);
    t.teardown(() => spawnSync("umount", [small]));
    const full = await run([], { HELIOS_STORE: join(small, "store") });
    t.equal(full.code, 6, full.stderr);
    t.match(full.stderr, /no space left on device.*Free some disk space/);
    t.equal(spawnSync("mount", ["-o", "remount,size=64m", small]).status, 0);
    t.equal((await run([], { HELIOS_STORE: join(small, "store") })).code, 0);
  });
});

async function removeStore(store: string): Promise<void> {
  spawnSync("chmod", ["-R", "u+w", store]);
  await rm(store, { recursive: true, force: true });
}
