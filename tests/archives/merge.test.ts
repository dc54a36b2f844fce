/** Long, since it is one list of rules: all of merging on one harness, the main part in memory and on a disk. */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import t from "tap";
import { gzipSync } from "node:zlib";
import { decodeLayers } from "#lib/archives/layers.ts";
import type { Layer } from "#lib/archives/layers.ts";
import { excluder } from "#lib/archives/exclude.ts";
import { readManifest } from "#lib/archives/manifest.ts";
import { mergeLayers } from "#lib/archives/merge.ts";
import { attemptOn, debOf, hosts, readTar, runOn, tarOf } from "./support.ts";
import type { Host, Sketch } from "./support.ts";

/** A layer as a test writes it: what archives hold instead of where they are. */
type LayerSketch =
  | {
      readonly name: string;
      readonly deb: readonly Sketch[];
      readonly exclude?: readonly string[];
      readonly force?: boolean;
    }
  | {
      readonly name: string;
      readonly tar: readonly Sketch[] | Buffer;
      readonly manifest?: string;
      readonly force?: boolean;
    }
  | { readonly name: string; readonly entries: readonly Record<string, unknown>[]; readonly force?: boolean };

let runs = 0;

/** Merges sketches and reads the result back. */
async function merge(host: Host, sketches: readonly LayerSketch[], options: { readonly usrMerge?: boolean } = {}) {
  const work = `${host.directory}/${runs++}`;
  await host.fs.promises.mkdir(`${work}/scratch`, { recursive: true });
  const json: unknown[] = [];
  for (const [index, sketch] of sketches.entries()) {
    const path = `${work}/layer-${index}`;
    if ("deb" in sketch) {
      const { deb, ...rest } = sketch;
      await host.fs.promises.writeFile(path, debOf(deb));
      json.push({ ...rest, kind: "deb", path });
    } else if ("tar" in sketch) {
      const { tar, ...rest } = sketch;
      await host.fs.promises.writeFile(path, Buffer.isBuffer(tar) ? tar : tarOf(tar));
      json.push({ ...rest, kind: "tar", path });
    } else json.push({ ...sketch, kind: "entries" });
  }
  const readText = (path: string): Promise<string> => host.fs.promises.readFile(path, "utf8");
  const layers = await decodeLayers(json, { physical: (path) => path, readText });
  const output = `${work}/root.tar`;
  const manifest = `${work}/manifest`;
  const result = await attemptOn(
    host,
    mergeLayers({ layers, output, manifest, scratch: `${work}/scratch`, mtime: 7, ...options }),
  );
  if (result.error !== undefined) return { error: result.error, work };
  const bytes = Buffer.from(await host.fs.promises.readFile(output));
  return { error: undefined, work, output, bytes, entries: await readTar(bytes), manifest, summary: result.value };
}

async function merged(host: Host, sketches: readonly LayerSketch[], options = {}) {
  const result = await merge(host, sketches, options);
  if (result.error !== undefined) throw result.error;
  return result;
}

/** "path type mode uid:gid target-or-content" of each entry. */
function lines(entries: Awaited<ReturnType<typeof readTar>>): string[] {
  return entries.map(({ entry, content }) => {
    const text = entry.target ?? (entry.type === "file" ? content.toString() : "");
    return `/${entry.path} ${entry.type} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${text}`.trim();
  });
}

for (const [where, makeHost] of hosts) {
  t.test(`merging ${where}`, async (t) => {
    const host = makeHost(t);

    t.test("debs, archives and entries become one sorted archive with owners and modes", async (t) => {
      const { entries, summary, manifest, work } = await merged(host, [
        {
          name: "base",
          deb: [
            { path: "", type: "directory", mode: 0o755 },
            { path: "usr", type: "directory" },
            { path: "usr/bin", type: "directory" },
            { path: "usr/bin/su", mode: 0o4755, content: "setuid" },
            { path: "etc/shadow", mode: 0o640, gid: 42, content: "" },
          ],
        },
        {
          name: "modules",
          tar: [
            { path: "usr/lib/m/x.ko", content: "module" },
            { path: "usr/lib/m/y.ko", type: "hardlink", target: "usr/lib/m/x.ko" },
          ],
        },
        {
          name: "stage",
          entries: [
            { path: "/etc/hostname", type: "file", content: "helios\n" },
            { path: "/data", type: "directory", mode: "0750", uid: 1000, gid: 1000 },
            { path: "/etc/mtab", type: "symlink", target: "../proc/mounts" },
          ],
        },
      ]);
      t.strictSame(lines(entries), [
        "/ directory 755 0:0",
        "/data directory 750 1000:1000",
        "/etc directory 755 0:0",
        "/etc/hostname file 644 0:0 helios",
        "/etc/mtab symlink 777 0:0 ../proc/mounts",
        "/etc/shadow file 640 0:42",
        "/usr directory 755 0:0",
        "/usr/bin directory 755 0:0",
        "/usr/bin/su file 4755 0:0 setuid",
        "/usr/lib directory 755 0:0",
        "/usr/lib/m directory 755 0:0",
        "/usr/lib/m/x.ko file 644 0:0 module",
        "/usr/lib/m/y.ko hardlink 644 0:0 usr/lib/m/x.ko",
      ]);
      t.ok(
        entries.every(({ entry }) => entry.mtime === 7),
        "one time for all",
      );
      t.strictSame(summary, { entries: 13, files: 4, bytes: 19, unread: [] });
      const listed = await readManifest(host.fs, manifest);
      t.strictSame(
        [...listed.keys()],
        entries.map(({ entry }) => entry.path),
      );
      t.match(listed.get("usr/lib/m/y.ko"), { type: "hardlink", target: "/usr/lib/m/x.ko", layer: "modules", size: 6 });
      t.match(listed.get("usr/bin/su"), { mode: "4755", layer: "base", sha256: /^[0-9a-f]{64}$/ });
      t.strictSame(await host.fs.promises.readdir(`${work}/scratch`), [], "nothing is left in the scratch directory");
    });

    t.test(
      "extended attributes and hard links of entries are kept, and what is not taken of an archive is named",
      async (t) => {
        // Records that nothing here writes, in the place of others of the same length.
        const xattrs = new Map(["aaaa", "aaaaaaa"].map((name) => [name, Buffer.from("x")]));
        const other = Buffer.from(
          tarOf([{ path: "etc/acl", content: "x", xattrs }])
            .toString("latin1")
            .replace("SCHILY.xattr.aaaa=", "SCHILY.acl.access=")
            .replace("SCHILY.xattr.aaaaaaa=", "RHT.security.selinux="),
          "latin1",
        );
        const capability = "01000002002000000000000000000000000000ff";
        const { entries, manifest, summary } = await merged(host, [
          {
            name: "import",
            tar: other,
          },
          {
            name: "disk",
            entries: [
              {
                path: "/usr/bin/ping",
                type: "file",
                content: "p",
                xattrs: { "user.empty": "", "security.capability": capability },
              },
              { path: "/usr/bin/ping4", type: "hardlink", target: "/usr/bin/ping" },
              { path: "/usr", type: "directory", xattrs: { "user.note": "6100" } },
            ],
          },
        ]);
        const found = new Map(entries.map(({ entry }) => [entry.path, entry]));
        t.strictSame(
          found.get("usr/bin/ping")?.xattrs,
          new Map([
            ["security.capability", Buffer.from(capability, "hex")],
            ["user.empty", Buffer.alloc(0)],
          ]),
        );
        t.match(found.get("usr/bin/ping4"), { type: "hardlink", target: "usr/bin/ping" });
        t.strictSame(found.get("usr")?.xattrs, new Map([["user.note", Buffer.from("a\0")]]));
        const listed = await readManifest(host.fs, manifest);
        t.strictSame(listed.get("usr/bin/ping")?.xattrs, { "security.capability": capability, "user.empty": "" });
        t.equal(listed.get("usr/bin/ping4")?.xattrs, undefined);
        t.strictSame(summary.unread, ["import: /etc/acl: RHT.security.selinux, SCHILY.acl.access"]);
      },
    );

    t.test("merging a merged archive again changes nothing, with or without its manifest", async (t) => {
      const first = await merged(host, [
        {
          name: "a",
          deb: [
            { path: "usr/bin/x", content: "1" },
            { path: "usr/bin/y", type: "hardlink", target: "usr/bin/x" },
            { path: "bin", type: "symlink", target: "usr/bin" },
          ],
        },
      ]);
      for (const manifest of [undefined, first.manifest]) {
        const layers: Layer[] = [
          { name: "base", kind: "tar", path: first.output, ...(manifest === undefined ? {} : { manifest }) },
        ];
        const output = `${first.work}/again-${manifest === undefined}`;
        const paths = { output, manifest: `${output}.manifest`, scratch: `${first.work}/scratch` };
        await runOn(host, mergeLayers({ layers, ...paths, mtime: 7 }));
        t.ok(first.bytes.equals(Buffer.from(await host.fs.promises.readFile(output))));
        const entry = (await readManifest(host.fs, paths.manifest)).get("usr/bin/x");
        t.match(entry, { layer: manifest === undefined ? "base" : "a", sha256: /^6b86b273/ });
      }
    });

    t.test("a compressed archive is a layer like any other", async (t) => {
      const path = `${host.directory}/root.tar.gz`;
      await host.fs.promises.writeFile(path, gzipSync(tarOf([{ path: "a", content: "zipped" }])));
      await host.fs.promises.mkdir(`${host.directory}/gz`);
      const output = `${host.directory}/gz.tar`;
      await runOn(
        host,
        mergeLayers({ layers: [{ name: "z", kind: "tar", path }], output, scratch: `${host.directory}/gz`, mtime: 7 }),
      );
      t.strictSame(lines(await readTar(Buffer.from(await host.fs.promises.readFile(output)))), [
        "/ directory 755 0:0",
        "/a file 644 0:0 zipped",
      ]);
    });

    t.test("a directory entry with a source brings the tree along", async (t) => {
      const source = `${host.directory}/tree`;
      await host.fs.promises.mkdir(`${source}/sub`, { recursive: true });
      await host.fs.promises.writeFile(`${source}/run`, "#!", { mode: 0o755 });
      await host.fs.promises.writeFile(`${source}/sub/data`, "data", { mode: 0o600 });
      await host.fs.promises.symlink("sub/data", `${source}/link`);
      const { entries } = await merged(host, [
        {
          name: "program",
          entries: [
            { path: "/opt/app", type: "directory", source, uid: 5, gid: 6 },
            { path: "/opt/run", type: "file", source: `${source}/run` },
          ],
        },
      ]);
      t.strictSame(lines(entries).slice(1), [
        "/opt directory 755 0:0",
        "/opt/app directory 755 5:6",
        "/opt/app/link symlink 777 5:6 sub/data",
        "/opt/app/run file 755 5:6 #!",
        "/opt/app/sub directory 755 5:6",
        "/opt/app/sub/data file 644 5:6 data",
        "/opt/run file 755 0:0 #!",
      ]);
      const { error } = await merge(host, [{ name: "program", entries: [{ path: "/x", type: "file", source }] }]);
      t.match(error?.message, /layer 'program', entry 'x': .*is not a file/);
    });

    t.test("damaged archives fail by name and leave no half result that looks whole", async (t) => {
      const path = `${host.directory}/cut.deb`;
      const whole = debOf([{ path: "a", content: Buffer.alloc(5000, "x") }]);
      for (const cut of [0, 30, 100, whole.length - 40]) {
        await host.fs.promises.writeFile(path, whole.subarray(0, cut));
        await host.fs.promises.mkdir(`${host.directory}/cut-${cut}`);
        const result = await attemptOn(
          host,
          mergeLayers({
            layers: [{ name: "p", kind: "deb", path }],
            output: `${host.directory}/cut-${cut}.tar`,
            scratch: `${host.directory}/cut-${cut}`,
            mtime: 0,
          }),
        );
        t.match(result.error, { _tag: /MalformedArchive|DecompressionFailed/ }, `cut at ${cut}`);
        t.match((result.error as Error).message, "cut.deb");
        await t.rejects(host.fs.promises.access(`${host.directory}/cut-${cut}.tar`), "no output");
      }
    });

    t.test("a failure while writing leaves nothing", async (t) => {
      const source = `${host.directory}/vanishing`;
      await host.fs.promises.writeFile(source, "x".repeat(100));
      await host.fs.promises.mkdir(`${host.directory}/vanish`);
      const paths = {
        output: `${host.directory}/v.tar`,
        manifest: `${host.directory}/v.manifest`,
        scratch: `${host.directory}/vanish`,
      };
      const entries = [
        { path: "a", type: "file", content: "a" },
        { path: "b", type: "file", source },
      ] as const;
      const shrinking: Host["fs"] = {
        ...host.fs,
        promises: new Proxy(host.fs.promises, {
          get: (target, key) => {
            if (key !== "open") return Reflect.get(target, key).bind(target);
            return async (path: string, ...rest: []) => {
              if (path === source) await host.fs.promises.writeFile(source, "");
              return target.open(path, ...rest);
            };
          },
        }),
      };
      const merged = mergeLayers({ layers: [{ name: "s", kind: "entries", entries }], ...paths, mtime: 0 });
      const { error } = await attemptOn({ ...host, fs: shrinking }, merged);
      t.match(error, { _tag: "ArchiveFileError", path: source, message: /became shorter/ });
      await t.rejects(host.fs.promises.stat(paths.output));
      await t.rejects(host.fs.promises.stat(paths.manifest));
      await host.fs.promises.writeFile(paths.output, "somebody's");
      const layers: Layer[] = [{ name: "s", kind: "entries", entries: [] }];
      await host.fs.promises.mkdir(`${host.directory}/exists`);
      const again = await attemptOn(
        host,
        mergeLayers({ layers, ...paths, scratch: `${host.directory}/exists`, mtime: 0 }),
      );
      t.match(again.error, { _tag: "ArchiveFileError" });
      t.equal(await host.fs.promises.readFile(paths.output, "utf8"), "somebody's", "and what was there before stays");
    });

    t.test("an archive that is not there is named", async (t) => {
      await host.fs.promises.mkdir(`${host.directory}/none`);
      const layers: Layer[] = [{ name: "p", kind: "deb", path: "/nowhere/p.deb" }];
      const result = await attemptOn(
        host,
        mergeLayers({ layers, output: `${host.directory}/n.tar`, scratch: `${host.directory}/none`, mtime: 0 }),
      );
      t.match(result.error, { _tag: "ArchiveFileError", path: "/nowhere/p.deb" });
    });
  });
}

const [, memory] = hosts[0]!;

t.test("two writers of one path", async (t) => {
  const host = memory(t);
  const file = (name: string, content: string, more = {}): LayerSketch => ({
    name,
    entries: [{ path: "/etc/x", type: "file", content, ...more }],
  });
  const conflict = async (layers: readonly LayerSketch[], reason: RegExp): Promise<void> => {
    const { error } = await merge(host, layers);
    t.match(error, { _tag: "LayerConflict" });
    t.match(error?.message, reason);
    t.match(error?.message, /force: true/, "the remedy is named");
  };
  const content = async (layers: readonly LayerSketch[]): Promise<string | undefined> =>
    (await merged(host, layers)).entries.find(({ entry }) => entry.path === "etc/x")?.content.toString();

  await conflict([file("one", "1"), file("two", "2")], /\/etc\/x is written by both 'one' and 'two'/);
  await conflict([file("one", "same"), file("two", "same")], /etc\/x/);
  t.equal(await content([file("one", "1"), file("two", "2", { force: true })]), "2", "a forced one wins later");
  t.equal(await content([file("one", "1", { force: true }), file("two", "2")]), "1", "and earlier");
  t.equal(
    await content([file("one", "1"), { ...file("two", "2"), force: true }]),
    "2",
    "a layer can be forced as a whole",
  );
  await conflict([file("one", "1", { force: true }), file("two", "2", { force: true })], /both are forced/);

  const directory = (name: string, more = {}): LayerSketch => ({
    name,
    entries: [{ path: "/etc/x", type: "directory", ...more }],
  });
  const deb = (name: string, ...sketches: Sketch[]): LayerSketch => ({ name, deb: sketches });
  await conflict([file("one", "1"), directory("two")], /a file of 1 bytes in one and a directory in the other/);
  await conflict(
    [deb("a", { path: "d", type: "directory" }), deb("b", { path: "d", type: "directory", mode: 0o700 })],
    /0755 0:0 in one and 0700 0:0/,
  );
  await conflict(
    [deb("a", { path: "l", type: "symlink", target: "x" }), deb("b", { path: "l", type: "symlink", target: "y" })],
    /a link to x/,
  );
  await conflict(
    [deb("a", { path: "d", type: "symlink", target: "/tmp" }), deb("b", { path: "d/x" })],
    /'a' and 'b': a link to \/tmp in one and a directory \(with d\/x\)/,
  );

  t.test("what agrees is no conflict", async (t) => {
    const { entries } = await merged(host, [
      deb(
        "a",
        { path: "d", type: "directory" },
        { path: "l", type: "symlink", target: "x" },
        { path: "doc", content: "same" },
      ),
      deb(
        "b",
        { path: "d", type: "directory" },
        { path: "l", type: "symlink", target: "x" },
        { path: "doc", content: "same" },
      ),
    ]);
    t.equal(entries.length, 4, "directories, links, and equal files of two packages");
    await conflict(
      [deb("a", { path: "doc", content: "same" }), deb("b", { path: "doc", content: "diff" })],
      /equal size but different content/,
    );
  });

  t.test("an entry may restate a directory", async (t) => {
    const base = deb("a", { path: "d", type: "directory", mode: 0o700, uid: 9 });
    const plain = await merged(host, [base, { name: "s", entries: [{ path: "d", type: "directory" }] }]);
    t.ok(lines(plain.entries).includes("/d directory 700 9:0"), "mentioning it changes nothing");
    const restated = await merged(host, [
      base,
      { name: "s", entries: [{ path: "d", type: "directory", mode: "1777" }] },
    ]);
    t.ok(lines(restated.entries).includes("/d directory 1777 9:0"), "and what it does not say, stays");
    const overlay = (name: string, mode: string): LayerSketch => ({
      name,
      entries: [{ path: "d", type: "directory", mode }],
    });
    await conflict([base, overlay("one", "0750"), overlay("two", "0755")], /\/d is written by both 'one' and 'two'/);
  });

  t.test("a forced file replaces a whole directory", async (t) => {
    const { entries } = await merged(host, [
      deb("a", { path: "d/e/f" }, { path: "g" }),
      { name: "s", entries: [{ path: "d", type: "file", content: "", force: true }] },
    ]);
    t.strictSame(
      entries.map(({ entry }) => entry.path),
      ["", "d", "g"],
    );
  });
});

t.test("merged /usr", async (t) => {
  const host = memory(t);
  const { entries } = await merged(host, [
    {
      name: "base-files",
      deb: [
        { path: "bin", type: "symlink", target: "usr/bin" },
        { path: "run", type: "directory" },
        { path: "var", type: "directory" },
      ],
    },
    {
      name: "old",
      deb: [
        { path: "bin", type: "directory" },
        { path: "bin/sh", content: "s" },
        { path: "lib/x.so", content: "x" },
        { path: "var/run/old", type: "directory" },
      ],
    },
    { name: "stage", entries: [{ path: "/usr/bin/mine", type: "file", content: "m" }] },
  ]);
  t.strictSame(
    lines(entries).filter((line) => !line.includes("directory")),
    [
      "/bin symlink 777 0:0 usr/bin",
      "/lib symlink 777 0:0 usr/lib",
      "/usr/bin/mine file 644 0:0 m",
      "/usr/bin/sh file 644 0:0 s",
      "/usr/lib/x.so file 644 0:0 x",
      "/var/lock symlink 777 0:0 /run/lock",
      "/var/run symlink 777 0:0 /run",
    ],
  );
  t.ok(lines(entries).includes("/run/old directory 755 0:0"));
  const clash = await merge(host, [
    { name: "a", deb: [{ path: "bin/sh", content: "1" }] },
    { name: "b", deb: [{ path: "usr/bin/sh", content: "22" }] },
  ]);
  t.match(clash.error?.message, /\/usr\/bin\/sh is written by both 'a' and 'b'/, "both names mean one path");
  const wrong = await merge(host, [{ name: "a", deb: [{ path: "bin", type: "symlink", target: "/opt" }] }]);
  t.match(wrong.error?.message, /merged-\/usr/);
  const off = await merged(host, [{ name: "buildroot", tar: [{ path: "bin/sh", content: "s" }] }], { usrMerge: false });
  t.strictSame(
    off.entries.map(({ entry }) => entry.path),
    ["", "bin", "bin/sh"],
  );
});

t.test("exclude patterns", async (t) => {
  const host = memory(t);
  const excluded = excluder(["usr/share/doc", "/usr/lib/linux-*/*", "!usr/lib/linux-*/broadcom", "**/*.pyc", "a?c"]);
  for (const path of [
    "usr/share/doc",
    "usr/share/doc/x/y",
    "usr/lib/linux-6/rockchip/a.dtb",
    "x.pyc",
    "deep/er/x.pyc",
    "abc",
  ]) {
    t.ok(excluded(path), path);
  }
  for (const path of [
    "usr/share",
    "usr/share/docs",
    "usr/lib/linux-6",
    "usr/lib/linux-6/broadcom/a.dtb",
    "a/c",
    "x.pycx",
  ]) {
    t.notOk(excluded(path), path);
  }
  const { entries } = await merged(host, [
    {
      name: "p",
      deb: [
        { path: "doc/a", content: "1" },
        { path: "keep", type: "hardlink", target: "doc/a" },
        { path: "doc/b", content: "2" },
      ],
      exclude: ["doc"],
    },
  ]);
  t.strictSame(
    lines(entries),
    ["/ directory 755 0:0", "/keep file 644 0:0 1"],
    "a hard link outlives its excluded first name",
  );
});

t.test("the result depends on the layers and nothing else", async () => {
  const host = memory(t);
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 1, max: 4 }), async (names, count) => {
      const layers = Array.from(
        { length: count },
        (_, index): LayerSketch => ({
          name: `l${index}`,
          deb: names
            .filter((_, at) => at % count === index)
            .map((name) => ({ path: `${name}/f`, content: name.repeat(index + 1) })),
        }),
      );
      const forward = await merged(host, layers);
      const backward = await merged(host, [...layers].reverse());
      assert.ok(forward.bytes.equals(backward.bytes), "layers that do not meet commute");
      const sorted = forward.entries.map(({ entry }) => entry.path);
      assert.deepEqual(
        sorted,
        [...sorted].sort((a, b) => (a < b ? -1 : 1)),
      );
    }),
    { numRuns: 25 },
  );
});

t.test("descriptions of layers are checked", async (t) => {
  const context = { physical: (path: string) => path, readText: async () => "[" };
  const entry = (fields: object): unknown => [
    { name: "s", kind: "entries", entries: [{ path: "/x", type: "file", content: "", ...fields }] },
  ];
  const cases: readonly (readonly [json: unknown, message: RegExp])[] = [
    [{}, /expected a list/],
    [[{ kind: "deb" }], /layer 'number 1': 'name' is missing/],
    [[{ name: "a", kind: "zip" }], /unknown kind 'zip'/],
    [[{ name: "a", kind: "deb", path: "x", excludes: [] }], /unknown key 'excludes'/],
    [[{ name: "a", kind: "deb", path: "x", exclude: "doc" }], /'exclude' is not a list of strings/],
    [[{ name: "a", kind: "entries", path: "/json" }], /its entries are not JSON/],
    [
      [
        { name: "a", kind: "entries", entries: [] },
        { name: "a", kind: "entries", entries: [] },
      ],
      /same name/,
    ],
    [entry({ mode: "0999" }), /layer 's', entry '\/x': 'mode' is '0999'/],
    [entry({ mode: 644 }), /'mode' is not a string/],
    [entry({ uid: -1 }), /'uid' is not a numeric id/],
    [entry({ uid: "root" }), /'uid' is not a numeric id/],
    [entry({ source: "/y" }), /either 'content' or 'source'/],
    [entry({ content: undefined }), /either 'content' or 'source'/],
    [entry({ target: "/y" }), /only a link/],
    [entry({ type: "symlink", content: undefined }), /needs a 'target'/],
    [entry({ type: "hardlink", content: "x", target: "/y" }), /unknown key 'content'/],
    [entry({ xattrs: { "user.x": "zz" } }), /'user.x' in 'xattrs' is not bytes in hexadecimal/],
    [entry({ contents: "" }), /unknown key 'contents'/],
    [entry({ path: "/a/../b" }), /'\.\.'/],
  ];
  for (const [json, message] of cases) {
    await t.rejects(decodeLayers(json, context), { message }, String(message));
  }
});
