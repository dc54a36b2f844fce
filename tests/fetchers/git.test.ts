import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import t from "tap";
import { fetchGit } from "#lib/fetchers/git.ts";
import type { GitRequest } from "#lib/fetchers/git.ts";
import { parseTree } from "#lib/fetchers/git-tree.ts";
import { Network } from "#lib/fetchers/network.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";

const skip = spawnSync("git", ["--version"]).status === 0 ? false : "no git on the PATH";
const services = Layer.mergeAll(FileSystem.layer, Processes.layer, Network.layer(), Events.silent);
const env = {
  PATH: process.env["PATH"],
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

t.test("git repositories", { skip }, async (t) => {
  const directory = mkdtempSync(`${tmpdir()}/helios-git-`);
  t.teardown(() => rmSync(directory, { recursive: true }));
  const repository = `${directory}/repository`;
  mkdirSync(`${repository}/sub/deep`, { recursive: true });
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: repository, env, encoding: "utf8" }).trim();
  const commit = (message: string): string => {
    git("add", "--all");
    git("commit", "--quiet", "--message", message);
    return git("rev-parse", "HEAD");
  };
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(`${repository}/.gitattributes`, "*.txt text eol=crlf\nleft-out export-ignore\nversion export-subst\n");
  writeFileSync(`${repository}/lines.txt`, "one\ntwo\n");
  writeFileSync(`${repository}/left-out`, "still here");
  writeFileSync(`${repository}/version`, "$Format:%H$");
  writeFileSync(`${repository}/sub/deep/large`, "L".repeat(700_000));
  writeFileSync(`${repository}/empty`, "");
  writeFileSync(`${repository}/run`, "#!/bin/sh\n");
  chmodSync(`${repository}/run`, 0o755);
  symlinkSync("sub/deep", `${repository}/link`);
  const first = commit("first");
  writeFileSync(`${repository}/second`, "2");
  const second = commit("second");

  let runs = 0;
  const fetch = async (more: Partial<GitRequest>, on: FileSystemShape = fs) => {
    const scratch = `${directory}/scratch-${runs}`;
    mkdirSync(scratch);
    const destination = `${directory}/out-${runs++}`;
    const request = { name: "source", url: repository, revision: first, destination, scratch, ...more };
    const effect = fetchGit(request).pipe(
      Effect.as(undefined),
      Effect.catch(Effect.succeed),
      Effect.provideService(FileSystem, on),
      Effect.provide(services),
    );
    return { error: await Effect.runPromise(effect), destination };
  };

  t.test("a revision is exported exactly as it is stored", async (t) => {
    for (const url of [repository, `file://${repository}`]) {
      const { error, destination } = await fetch({ url });
      t.equal(error, undefined);
      t.strictSame(readdirSync(destination).sort(), [
        ".gitattributes",
        "empty",
        "left-out",
        "lines.txt",
        "link",
        "run",
        "sub",
        "version",
      ]);
      t.equal(readFileSync(`${destination}/lines.txt`, "utf8"), "one\ntwo\n", "no line ends are changed");
      t.equal(readFileSync(`${destination}/version`, "utf8"), "$Format:%H$", "nothing is substituted");
      t.equal(statSync(`${destination}/sub/deep/large`).size, 700_000);
      t.equal(readlinkSync(`${destination}/link`), "sub/deep");
      t.ok(statSync(`${destination}/run`).mode & 0o100);
      t.notOk(statSync(`${destination}/version`).mode & 0o100);
    }
    t.equal(readFileSync(`${(await fetch({ revision: second })).destination}/second`, "utf8"), "2");
  });

  t.test("submodules are empty directories, however slowly those are made", async (t) => {
    git("rm", "--quiet", "sub/deep/large"); // So that all fits into a pipe, and git need not wait for a reader.
    git("update-index", "--add", "--cacheinfo", `160000,${first},modules/one`);
    git("commit", "--quiet", "--message", "submodule");
    const { promises } = fs;
    const slow = {
      ...fs,
      promises: {
        ...promises,
        mkdir: async (...args: Parameters<typeof promises.mkdir>) => {
          await new Promise((resume) => setTimeout(resume, 200)); // Long enough for git to have answered and ended.
          return promises.mkdir(...args);
        },
      },
    };
    const { error, destination } = await fetch({ revision: git("rev-parse", "HEAD") }, slow as FileSystemShape);
    t.equal(error, undefined);
    t.strictSame(readdirSync(`${destination}/modules/one`), []);
    t.equal(readFileSync(`${destination}/run`, "utf8"), "#!/bin/sh\n");
    git("reset", "--quiet", "--hard", second);
  });

  t.test("what is not there is named", async (t) => {
    const missing = "0123456789".repeat(4);
    t.match((await fetch({ revision: missing })).error, { _tag: "RevisionMissing", revision: missing });
    t.match((await fetch({ revision: "main" })).error?.message, /'main'.*not the full hash/);
    t.match((await fetch({ url: `${directory}/nowhere` })).error, { _tag: "GitFailed", command: "git fetch" });
    const home = process.env["HOME"];
    t.teardown(() => {
      process.env["HOME"] = home;
    });
    process.env["HOME"] = directory;
    writeFileSync(`${directory}/.gitconfig`, '[protocol "ext"]\n\tallow = always\n');
    for (const url of [`ext::touch ${directory}/evil`, `--upload-pack=touch ${directory}/evil;`]) {
      t.match((await fetch({ url })).error, { _tag: "GitFailed" }, url);
      t.notOk(readdirSync(directory).includes("evil"), "a URL runs no program");
    }
    t.match((await fetch({ byteLimit: 1000 })).error, { _tag: "ArchiveTooLarge" });
  });

  t.test("links that leave the tree are refused", async (t) => {
    symlinkSync("/etc/passwd", `${repository}/absolute`);
    const absolute = commit("absolute");
    t.match((await fetch({ revision: absolute })).error, { _tag: "UnsafeEntry", entry: "absolute" });
    t.equal((await fetch({ revision: absolute, links: "root" })).error, undefined, "unless they mean another root");
    symlinkSync("../../x", `${repository}/sub/out`);
    t.match((await fetch({ revision: commit("out"), links: "root" })).error, { _tag: "UnsafeEntry", entry: "sub/out" });
  });
});

t.test("hostile trees are refused", async (t) => {
  const line = (mode: string, name: string, type = "blob"): string =>
    `${mode} ${type} ${"a".repeat(40)}       5\t${name}\0`;
  const refusal = (listing: string): unknown => {
    try {
      return parseTree("repository", listing);
    } catch (error) {
      return error;
    }
  };
  const cases: readonly (readonly [listing: string, error: object])[] = [
    [line("100644", "../x"), { _tag: "UnsafeEntry" }],
    [line("100644", "/x"), { _tag: "UnsafeEntry" }],
    [line("100644", "a/.GIT/config"), { _tag: "UnsafeEntry", reason: /\.git/ }],
    [line("120000", "d") + line("100644", "d/x"), { _tag: "UnsafeEntry" }],
    [line("100644", "x") + line("100644", "x"), { _tag: "UnsafeEntry" }],
    [line("100600", "x"), { _tag: "UnsupportedArchive" }],
    ["nonsense\0", { _tag: "UnsupportedArchive" }],
  ];
  for (const [listing, error] of cases) t.match(refusal(listing), error);
  t.match(parseTree("r", `160000 commit ${"b".repeat(40)}       -\tmodule\0`), [
    { path: "module", type: "directory", size: 0 },
  ]);
});
