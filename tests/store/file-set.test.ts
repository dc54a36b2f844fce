import * as fc from "fast-check";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import t from "tap";
import { fileSet } from "#lib/store/file-set.ts";
import { hosts } from "../archives/support.ts";
import type { Host } from "../archives/support.ts";

const list = (host: Host) => fileSet(host.fs, host.directory);

async function write(host: Host, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await host.fs.promises.mkdir(dirname(`${host.directory}/${path}`), { recursive: true });
    await host.fs.promises.writeFile(`${host.directory}/${path}`, text);
  }
}

for (const [where, makeHost] of hosts) {
  t.test(`a file set ${where}`, async (t) => {
    const host = makeHost(t);
    await host.fs.promises.rm(`${host.directory}/.keep`, { force: true });
    await write(host, {
      ".gitignore": "*.log\n/build/\nnode_modules\n!important.log\n",
      ".git/HEAD": "ref",
      "a.log": "",
      "important.log": "",
      "src/b.log": "",
      "src/main.ts": "",
      "src/.gitignore": "generated\n!b.log\n",
      "src/generated/x": "",
      "build/out": "",
      "src/build/kept": "",
      "packages/p/node_modules/q/index.js": "",
      "z-file": "",
    });
    await host.fs.promises.symlink("src", `${host.directory}/link`);
    t.strictSame(await list(host), [
      ".gitignore",
      "important.log",
      "link",
      "src/.gitignore",
      "src/b.log",
      "src/build/kept",
      "src/main.ts",
      "z-file",
    ]);
    await t.rejects(fileSet(host.fs, "/nowhere"), { code: "ENOENT" });
  });
}

const skip = spawnSync("git", ["--version"]).status === 0 ? false : "no git on the PATH";

t.test("ignore files mean what git says they mean", { skip }, async () => {
  const directory = mkdtempSync(`${tmpdir()}/helios-ignore-`);
  t.teardown(() => rmSync(directory, { recursive: true }));
  const env = { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: directory, env, encoding: "utf8" });
  const fs = await import("node:fs");
  const paths = [
    "a",
    "b.o",
    "a.b",
    "x/a",
    "x/b.o",
    "x/y/a",
    "x/y/b.o",
    "y/x/a",
    "y/[b]",
    "y/#c",
    "y/!d",
    "ab/c",
    "a b",
    "x/a b ",
  ];
  for (const path of paths) {
    mkdirSync(dirname(`${directory}/${path}`), { recursive: true });
    writeFileSync(`${directory}/${path}`, "");
  }
  git("init", "--quiet");
  // Of two stars that are no component of their own, git's manual and git's matcher say different things.
  const oddStars = /[^/!]\*\*|\*\*[^/]|\*{3}/;
  const piece = fc.constantFrom(
    "a",
    "b",
    "x",
    "y",
    "*",
    "**",
    "?",
    "/",
    "/",
    ".o",
    "[ab]",
    "[!a]",
    "\\#",
    "\\!",
    "#",
    "!",
    " ",
    "[b]",
    "\\[b]",
    "c",
    "b.o",
    "/**",
    "**/",
  );
  const line = fc
    .tuple(fc.constantFrom("", "", "!"), fc.array(piece, { minLength: 1, maxLength: 5 }))
    .map(([keep, pieces]) => keep + pieces.join(""))
    .filter((line) => !oddStars.test(line));
  const lines = fc.array(line, { maxLength: 4 }).map((lines) => `${lines.join("\n")}\n`);
  await fc.assert(
    fc.asyncProperty(lines, lines, async (top, inner) => {
      writeFileSync(`${directory}/.gitignore`, top);
      writeFileSync(`${directory}/x/.gitignore`, inner);
      const expected = git("ls-files", "--others", "--exclude-standard", "-z").split("\0").filter(Boolean).sort();
      assert.deepEqual(await list({ fs, directory }), expected);
    }),
    { numRuns: 120 },
  );
});
