/** Trees of files: how they are archived, hashed and written, and which files of a source belong to one. */
import fc from "fast-check";
import t from "tap";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatBase32 } from "#lib/derivations/hash.ts";
import { fileSet } from "#lib/store/file-set.ts";
import { hashTree } from "#lib/store/hash-tree.ts";
import { narString } from "#lib/store/nar-format.ts";
import { NarReader } from "#lib/store/nar-reader.ts";
import { writeNar } from "#lib/store/nar-writer.ts";
import { ReferenceScanner } from "#lib/store/reference-scanner.ts";
import { deleteTree, seal, TreeWriter } from "#lib/store/tree.ts";
import { type Host, hosts } from "../archives/support.ts";
import { memory } from "../memory.ts";

/** A tree as plain data: a file's content, `{ run }` for an executable, `{ link }`, or a directory. */
type Tree = string | { readonly run: string } | { readonly link: string } | Map<string, Tree>;

function plant(fs: typeof nodeFs, path: string, tree: Tree): void {
  if (typeof tree === "string") fs.writeFileSync(path, tree);
  else if (tree instanceof Map) {
    fs.mkdirSync(path, { recursive: true });
    for (const [name, child] of tree) plant(fs, join(path, name), child);
  } else if ("link" in tree) fs.symlinkSync(tree.link, path);
  else {
    fs.writeFileSync(path, tree.run);
    fs.chmodSync(path, 0o755);
  }
}

async function archive(fs: typeof nodeFs, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await writeNar(fs, path, (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

const vectors: [string, Tree, number, string][] = [
  ["an empty file", "", 112, "0ip26j2h11n1kgkz36rl4akv694yz65hr72q4kv4b3lxcbi65b3p"],
  ["a file", "hello\n", 120, "04zwf782yjwnh3q6hz5izfd6jyip8kgw6g6yj43fiqhbyhdd0dqw"],
  ["an executable", { run: "hello\n" }, 152, "1yhh619m3cy1mird7f0l7zsmiv9rayqn075zinda2g7rscwn0hv5"],
  ["a link", { link: "hello" }, 120, "09c1ai5wvx5pm61qnwh152s2y1fi1bcavnv5fsrbppchynnm7ca6"],
  ["a file without padding", "12345678", 120, "0g7mwcdnivpkvcv7aydv8b9a4qp0nc3daxhdl95fciv488ik5mi2"],
  ["an empty directory", new Map(), 96, "0sjjj9z1dhilhpc8pq4154czrb79z9cm044jvn75kxcjv6v5l2m5"],
  [
    "a directory in the order of bytes",
    new Map<string, Tree>([
      ["a.b", new Map([["1", "y"]])],
      ["é", new Map([["l", { link: "/abs/target" }]])],
      ["a", new Map([["1", "x"]])],
      ["B", new Map([["z", "z"]])],
    ]),
    1544,
    "0snkmp7qd1v7z8sxxl5lib9g9ascg0s6c9nxs6k0kl2wzrj8jc50",
  ],
  [
    "a source tree",
    new Map<string, Tree>([
      ["a.txt", "alpha\n"],
      ["link", { link: "a.txt" }],
      ["run.sh", { run: "#!/bin/sh\necho hi\n" }],
      ["sub", new Map([["empty", ""]])],
    ]),
    1072,
    "0pk2lvmg5xs1nh9x224w8b9npdzwf8if91jyzrrmc16x17b0rym0",
  ],
];

void t.test("archives are Nix's, byte for byte", async (t) => {
  // Only a disk gives the entries of a directory in an order of its own.
  const disk = nodeFs.mkdtempSync(join(tmpdir(), "nar-test-"));
  t.teardown(() => deleteTree(nodeFs, disk));
  for (const [index, [name, tree, size, hash]] of vectors.entries()) {
    for (const [fs, path] of [
      [memory(), "/x"],
      [nodeFs, join(disk, `${index}`)],
    ] as const) {
      plant(fs, path, tree);
      const nar = await hashTree(fs, path);
      t.equal(formatBase32(nar.hash), `sha256:${hash}`, name);
      t.equal(nar.size, size, name);
    }
  }
});

void t.test("the order of a directory does not depend on the file system", async (t) => {
  const disk = nodeFs.mkdtempSync(join(tmpdir(), "nar-test-"));
  t.teardown(() => deleteTree(nodeFs, disk));
  const names = Array.from({ length: 200 }, (_, index) => `${(index * 7919) % 200}-${index}`);
  const tree = new Map(names.map((name): [string, Tree] => [name, name]));
  const fs = memory();
  plant(fs, "/x", tree);
  plant(nodeFs, join(disk, "x"), tree);
  t.ok((await archive(fs, "/x")).equals(await archive(nodeFs, join(disk, "x"))));
});

const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.string({ maxLength: 30 }),
    fc.string({ maxLength: 30 }).map((run) => ({ run })),
    fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom("a", "/", "é") }).map((link) => ({ link })),
    fc
      .dictionary(
        fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom("a", "b", ".x", "é", "😀") }),
        tie("tree"),
        { maxKeys: 4 },
      )
      .map((entries) => new Map(Object.entries(entries))),
  ),
})).tree;

const nixStore = ((): boolean => {
  try {
    execFileSync("nix-store", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

void t.test(
  "random trees are archived and restored as by real Nix",
  { skip: !nixStore && "no nix on the PATH" },
  async (t) => {
    const disk = nodeFs.mkdtempSync(join(tmpdir(), "nar-test-"));
    t.teardown(() => deleteTree(nodeFs, disk));
    for (const [index, tree] of fc.sample(trees, { numRuns: 25, seed: 7 }).entries()) {
      const path = join(disk, `${index}`);
      plant(nodeFs, path, tree);
      const ours = await archive(nodeFs, path);
      t.ok(ours.equals(execFileSync("nix-store", ["--dump", path])), `tree ${index}`);
      execFileSync("nix-store", ["--restore", `${path}-restored`], { input: ours });
      t.ok((await archive(nodeFs, `${path}-restored`)).equals(ours), `tree ${index} restored`);
    }
  },
);

void t.test("any tree comes back as it was, in chunks of any size", async (t) => {
  await fc.assert(
    fc.asyncProperty(trees, fc.integer({ min: 1, max: 300 }), async (tree, chunkSize) => {
      const fs = memory();
      plant(fs, "/from", tree);
      const nar = await archive(fs, "/from");
      const reader = new NarReader(new TreeWriter(fs, "/to"));
      for (let start = 0; start < nar.length; start += chunkSize) {
        // The same buffer each time: nothing of it may be needed later.
        const chunk = Buffer.from(nar.subarray(start, start + chunkSize));
        await reader.push(chunk);
        chunk.fill(0xff);
      }
      reader.end();
      if (fs.existsSync("/to")) seal(fs, "/to");
      t.ok((await archive(fs, "/to")).equals(nar));
    }),
    { numRuns: 60 },
  );
});

void t.test("a file larger than any buffer is streamed", async (t) => {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "nar-test-"));
  t.teardown(() => deleteTree(nodeFs, directory));
  const content = Buffer.alloc(5 * 1024 * 1024 + 5);
  for (let index = 0; index < content.length; index += 4)
    content.writeUInt16LE(index % 65521, Math.min(index, content.length - 2));
  nodeFs.mkdirSync(join(directory, "from"));
  nodeFs.writeFileSync(join(directory, "from/big"), content);
  nodeFs.writeFileSync(join(directory, "from/medium"), content.subarray(0, 600_000));
  nodeFs.writeFileSync(join(directory, "from/small"), "x");
  let largest = 0;
  const reader = new NarReader(new TreeWriter(nodeFs, join(directory, "to")));
  const nar = await hashTree(nodeFs, join(directory, "from"), {}, async (chunk) => {
    largest = Math.max(largest, chunk.length);
    // A slow receiver holds the sender back.
    await new Promise<void>((resume) => setImmediate(resume));
    await reader.push(chunk);
  });
  reader.end();
  t.ok(nodeFs.readFileSync(join(directory, "to/big")).equals(content));
  t.strictSame(await hashTree(nodeFs, join(directory, "to")), nar);
  t.ok(largest <= 2 * 1024 * 1024);
  t.equal(nodeFs.statSync(join(directory, "to/big")).mode & 0o777, 0o444);
});

void t.test("permissions do not depend on the umask", async (t) => {
  const directory = nodeFs.mkdtempSync(join(tmpdir(), "nar-test-"));
  t.teardown(() => deleteTree(nodeFs, directory));
  const from = join(directory, "from");
  plant(
    nodeFs,
    from,
    new Map<string, Tree>([
      ["a", "a"],
      ["b", { run: "b" }],
      ["c", "c"],
      ["d", { run: "d" }],
    ]),
  );
  const nar = await archive(nodeFs, from);
  for (const umask of [0o000, 0o022, 0o077, 0o111]) {
    const to = join(directory, `to${umask}`);
    const before = process.umask(umask);
    try {
      await new NarReader(new TreeWriter(nodeFs, to)).push(nar);
    } finally {
      process.umask(before);
    }
    const modes = ["a", "b", "c", "d"].map((file) => (nodeFs.statSync(join(to, file)).mode & 0o7777).toString(8));
    t.strictSame(modes, ["444", "555", "444", "555"], umask.toString(8));
  }
});

void t.test("writing a tree without contents gives way to other work, and can be cancelled", async (t) => {
  const fs = memory();
  for (const [kind, make] of [
    ["directories", (path: string) => fs.mkdirSync(path)],
    ["links", (path: string) => fs.symlinkSync("target", path)],
    ["empty files", (path: string) => fs.writeFileSync(path, "")],
  ] as const) {
    fs.mkdirSync(`/${kind}`);
    for (let index = 0; index < 5000; index++) make(`/${kind}/${index}`);
    const cancel = new AbortController();
    const reader = new NarReader(new TreeWriter(fs, "/to", cancel.signal));
    const written = reader.push(await archive(fs, `/${kind}`));
    setImmediate(() => cancel.abort());
    await t.rejects(written, { name: "AbortError" }, kind);
    await deleteTree(fs, "/to");
  }
});

void t.test("a tree deeper than the stack of calls is archived, restored and deleted", async (t) => {
  const fs = memory();
  const deep = `/from${"/d".repeat(400)}`;
  fs.mkdirSync(deep, { recursive: true });
  fs.writeFileSync(`${deep}/file`, "x");
  const nar = await archive(fs, "/from");
  const reader = new NarReader(new TreeWriter(fs, "/to"));
  await reader.push(nar);
  reader.end();
  t.equal(fs.readFileSync(`/to${"/d".repeat(400)}/file`, "utf8"), "x");
  await deleteTree(fs, "/to");
  await deleteTree(fs, "/not-there");
  t.notOk(fs.existsSync("/to"));
});

const strings = (...texts: string[]): Buffer => Buffer.concat(texts.map(narString));
const entry = (name: string): string[] => [
  "entry",
  "(",
  "name",
  name,
  "node",
  "(",
  "type",
  "regular",
  "contents",
  "",
  ")",
  ")",
];
const directory = (...names: string[]): Buffer =>
  strings("nix-archive-1", "(", "type", "directory", ...names.flatMap(entry), ")");

void t.test("hostile archives are refused with the place, and write nothing outside", async (t) => {
  const good = directory("a", "b");
  const unpadded = Buffer.from(good);
  unpadded[8 + 13] = 1;
  const huge = strings("nix-archive-1", "(", "type", "regular", "contents");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(2n ** 63n);
  const refused: [string, Buffer, RegExp][] = [
    ["no archive", Buffer.from("PK\x03\x04aaaaaaaaaaaaaaaaa"), /too long/],
    ["another magic", strings("nix-archive-2"), /expected 'nix-archive-1', found 'nix-archive-2'/],
    ["a name that leads up", directory(".."), /'\.\.' cannot be the name/],
    ["a name with a slash", directory("a/b"), /'a\/b' cannot be/],
    ["an absolute name", directory("/etc"), /cannot be/],
    ["a name with a NUL", directory("a\0"), /cannot be/],
    ["an empty name", directory(""), /cannot be/],
    ["a long name", directory("a".repeat(256)), /cannot be/],
    ["a doubled name", directory("a", "a"), /out of order or doubled/],
    ["names out of order", directory("b", "a"), /out of order/],
    ["padding that is not zero", unpadded, /padding is not zero/],
    ["an unknown type", strings("nix-archive-1", "(", "type", "device"), /'device' is no type/],
    ["a link without a target", strings("nix-archive-1", "(", "type", "symlink", "target", ""), /no usable target/],
    ["a missing keyword", strings("nix-archive-1", "(", "contents"), /expected '\(' 'type'/],
    ["an impossible size", Buffer.concat([huge, length]), /impossibly long/],
    ["something behind the end", Buffer.concat([good, strings("(")]), /follows the end/],
  ];
  for (const [name, bytes, message] of refused) {
    const fs = memory();
    const reader = new NarReader(new TreeWriter(fs, "/to"));
    await t.rejects(
      reader.push(bytes).then(() => reader.end()),
      { _tag: "NarError", message },
      name,
    );
    t.strictSame(
      fs.readdirSync("/").filter((file) => file !== "to"),
      [],
      "nothing outside",
    );
  }
  for (let end = 0; end < good.length; end += 7) {
    const reader = new NarReader(new TreeWriter(memory(), "/to"));
    await t.rejects(
      reader.push(good.subarray(0, end)).then(() => reader.end()),
      { _tag: "NarError", message: /ends too early/ },
      `cut at ${end}`,
    );
  }
});

void t.test("a damaged archive never gives anything but itself or an error", async (t) => {
  const good = directory("a", "b", "c");
  // On a disk: memory holds no names that are not UTF-8.
  const disk = nodeFs.mkdtempSync(join(tmpdir(), "nar-test-"));
  t.teardown(() => deleteTree(nodeFs, disk));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, value) => {
      const bytes = Buffer.from(good);
      bytes[at] = value;
      const to = join(disk, `${runs++}`);
      const writer = new TreeWriter(nodeFs, to);
      const reader = new NarReader(writer);
      try {
        await reader.push(bytes);
        reader.end();
      } catch (error) {
        t.equal((error as { _tag?: string })._tag, "NarError");
        return;
      } finally {
        writer.close();
      }
      t.ok((await archive(nodeFs, to)).equals(bytes), "what is accepted is canonical");
    }),
    { numRuns: 300, examples: [[good.lastIndexOf("c"), 255]] },
  );
});

void t.test("the reference scanner finds what a plain search finds", (t) => {
  const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
  const part = fc.string({ minLength: 32, maxLength: 32, unit: fc.constantFrom(...alphabet) });
  const noise = fc.string({ maxLength: 80, unit: fc.constantFrom(...alphabet, "/", "-", "E", "\u00ff", "e") });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 5 }),
      fc.array(noise, { maxLength: 6 }),
      fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 1, max: 200 }),
      (parts, noises, mentioned, chunkSize) => {
        let text = "";
        for (const [index, piece] of noises.entries())
          text += piece + (mentioned[index] === true ? (parts[index] ?? "") : "");
        const scanner = new ReferenceScanner(parts);
        const bytes = Buffer.from(text, "latin1");
        for (let start = 0; start < bytes.length; start += chunkSize)
          scanner.update(bytes.subarray(start, start + chunkSize));
        const expected = new Map(parts.filter((item) => text.includes(item)).map((item) => [item, text.indexOf(item)]));
        t.strictSame([...scanner.found].sort(), [...expected].sort());
      },
    ),
    { numRuns: 200 },
  );
  t.end();
});

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

t.test("ignore files mean what git says they mean", { skip }, async (t) => {
  const directory = nodeFs.mkdtempSync(`${tmpdir()}/helios-ignore-`);
  t.teardown(() => nodeFs.rmSync(directory, { recursive: true }));
  const env = { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: directory, env, encoding: "utf8" });
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
    nodeFs.mkdirSync(dirname(`${directory}/${path}`), { recursive: true });
    nodeFs.writeFileSync(`${directory}/${path}`, "");
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
      nodeFs.writeFileSync(`${directory}/.gitignore`, top);
      nodeFs.writeFileSync(`${directory}/x/.gitignore`, inner);
      const expected = git("ls-files", "--others", "--exclude-standard", "-z").split("\0").filter(Boolean).sort();
      assert.deepEqual(await list({ fs: nodeFs, directory }), expected);
    }),
    { numRuns: 120 },
  );
});
