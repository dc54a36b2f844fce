import * as Effect from "effect/Effect";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import t from "tap";
import { gzipSync } from "node:zlib";
import { openDebianPackage, parseControl, readControl } from "#lib/archives/debian-package.ts";
import { withDecompressed } from "#lib/archives/decompress.ts";
import { unpackDebianPackages } from "#lib/archives/unpack.ts";
import type { UnpackOptions } from "#lib/archives/unpack.ts";
import { arOf, attemptOn, debOf, hosts, rawHeader, runOn, tarOf } from "./support.ts";
import type { Host, Sketch } from "./support.ts";

let runs = 0;

/** Waits until a process is no more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Unpacks packages of these entries; says what became of it. */
async function unpack(
  host: Host,
  packages: Readonly<Record<string, readonly Sketch[] | Buffer>>,
  options: Partial<UnpackOptions> = {},
) {
  const work = `${host.directory}/${runs++}`;
  await host.fs.promises.mkdir(`${work}/scratch`, { recursive: true });
  const paths = [];
  for (const [name, content] of Object.entries(packages)) {
    const path = `${work}/${name}.deb`;
    await host.fs.promises.writeFile(path, Buffer.isBuffer(content) ? content : debOf(content));
    paths.push({ name, path });
  }
  const destination = `${work}/root`;
  const result = await attemptOn(
    host,
    unpackDebianPackages({ packages: paths, destination, scratch: `${work}/scratch`, ...options }),
  );
  return { error: result.error, destination, tree: await listing(host, destination) };
}

/** "path → target", "path/" or "path mode: content". */
async function listing({ fs }: Host, top: string, directory = ""): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await fs.promises.readdir(`${top}/${directory}`).catch(() => [])).map(String).sort()) {
    const path = `${directory}${name}`;
    const stats = await fs.promises.lstat(`${top}/${path}`);
    if (stats.isSymbolicLink()) found.push(`${path} → ${await fs.promises.readlink(`${top}/${path}`, "utf8")}`);
    else if (stats.isDirectory()) found.push(`${path}/`, ...(await listing({ fs, directory: "" }, top, `${path}/`)));
    else
      found.push(
        `${path} ${(stats.mode & 0o7777).toString(8)}: ${(await fs.promises.readFile(`${top}/${path}`, "utf8")).slice(0, 20)}`,
      );
  }
  return found;
}

const merged = [
  "bin → usr/bin",
  "lib → usr/lib",
  "lib64 → usr/lib64",
  "sbin → usr/sbin",
  "usr/",
  "usr/bin/",
  "usr/lib/",
  "usr/lib64/",
  "usr/sbin/",
];

for (const [where, makeHost] of hosts) {
  t.test(`unpacking packages ${where}`, async (t) => {
    const host = makeHost(t);

    t.test("they become one tree with a merged /usr", async (t) => {
      const large = "L".repeat(300_000);
      const { error, tree, destination } = await unpack(
        host,
        {
          shell: [
            { path: "bin/sh", mode: 0o4755, content: "sh" },
            { path: "usr/bin/bash", type: "hardlink", target: "bin/sh" },
          ],
          data: [
            { path: "usr/share/large", content: large },
            { path: "etc/passwd", content: "mine" },
            { path: "usr/share/doc/x", content: "" },
          ],
        },
        {
          links: { "/usr/bin/awk": "mawk" },
          files: { "etc/passwd": "ours", "etc/group": "ours" },
          directories: ["proc", "/nix/store"],
          exclude: ["usr/share/doc"],
        },
      );
      t.equal(error, undefined);
      t.strictSame(tree, [
        ...merged.slice(0, 1),
        "etc/",
        "etc/group 644: ours",
        "etc/passwd 644: mine",
        ...merged.slice(1, 3),
        "nix/",
        "nix/store/",
        "proc/",
        ...merged.slice(3, 6),
        "usr/bin/awk → mawk",
        "usr/bin/bash 755: sh",
        "usr/bin/sh 755: sh",
        ...merged.slice(6),
        "usr/share/",
        `usr/share/large 644: ${"L".repeat(20)}`,
      ]);
      t.equal((await host.fs.promises.stat(`${destination}/usr/share/large`)).size, large.length);
      t.equal((await host.fs.promises.stat(`${destination}/usr/bin/sh`)).nlink, 2);
    });

    t.test("two packages may bring one file if it is the same", async (t) => {
      const same = { path: "usr/share/shared", content: "S".repeat(100) };
      const { error, tree } = await unpack(host, { a: [same], b: [same] });
      t.equal(error, undefined);
      t.ok(tree.some((line) => line.startsWith("usr/share/shared")));
      const other = await unpack(host, { a: [same], b: [{ ...same, content: "T".repeat(100) }] });
      t.match(other.error, { _tag: "LayerConflict", path: "usr/share/shared" });
      const longer = await unpack(host, { a: [same], b: [{ ...same, content: "longer" }] });
      t.match(longer.error?.message, /is written by both '[ab]' and '[ab]'/);
    });

    t.test("no package writes through another's link", async (t) => {
      const outside = `${host.directory}/outside`;
      await host.fs.promises.mkdir(outside, { recursive: true });
      const { error } = await unpack(
        host,
        { a: [{ path: "d", type: "symlink", target: outside }], b: [{ path: "d/x", content: "evil" }] },
        { jobs: 1 },
      );
      t.match(error, { _tag: "LayerConflict" });
      t.strictSame(await host.fs.promises.readdir(outside), []);
    });

    t.test("hostile content is refused, whatever the package around it, and nothing comes of it outside", async (t) => {
      const link: Sketch = { path: "d", type: "symlink", target: "/tmp" };
      const cases: readonly (readonly [name: string, data: Buffer, error: object])[] = [
        ["absolute path", rawHeader("/etc/passwd"), { _tag: "UnsafeEntry", message: /absolute/ }],
        ["parent directory", rawHeader("a/../../b"), { _tag: "UnsafeEntry", message: /'\.\.'/ }],
        ["twice", Buffer.concat([rawHeader("a"), rawHeader("a")]), { _tag: "UnsafeEntry", message: /twice/ }],
        ["through a link", tarOf([link, { path: "d/x" }]), { _tag: "UnsafeEntry", message: /below 'd'/ }],
        [
          "a link that climbs out",
          tarOf([{ path: "a", type: "symlink", target: "../../x" }]),
          { _tag: "UnsafeEntry", message: /leaves the tree/ },
        ],
        [
          "bomb",
          gzipSync(tarOf([{ path: "usr/zeros", content: Buffer.alloc(3_000_000) }])),
          { _tag: "ArchiveTooLarge" },
        ],
        ["cut", tarOf([{ path: "usr/a", content: "x".repeat(900) }]).subarray(0, 600), { _tag: "MalformedArchive" }],
      ];
      for (const [name, data, error] of cases) {
        const member = name === "bomb" ? "data.tar.gz" : "data.tar";
        const whole = name === "cut" || name === "bomb" ? data : Buffer.concat([data, Buffer.alloc(1024)]);
        const deb = arOf([
          ["debian-binary", Buffer.from("2.0\n")],
          ["control.tar", tarOf([{ path: "control", content: "Package: p\n" }])],
          [member, whole],
        ]);
        const result = await unpack(host, { p: deb }, { byteLimit: 1_000_000 });
        t.match(result.error, error, name);
        t.match(result.error?.message, "p.deb", `${name}: the file is named`);
      }
    });

    t.test("device nodes are refused", async (t) => {
      const { error } = await unpack(host, { a: [{ path: "dev/sda", type: "block", device: { major: 8, minor: 0 } }] });
      t.match(error, { _tag: "UnsupportedArchive" });
    });
  });
}

const [, memory] = hosts[0]!;
const [, disk] = hosts[1]!;

t.test("control fields are read", async (t) => {
  const host = memory(t);
  const control = "Package: bash\nVersion: 5.2-1\nDescription: shell\n long text\n .\n# comment\n";
  await host.fs.promises.writeFile("/w/p.deb", debOf([], control));
  const fields = await runOn(host, readControl(await runOn(host, openDebianPackage("/w/p.deb"))));
  t.strictSame(
    [...fields],
    [
      ["Package", "bash"],
      ["Version", "5.2-1"],
      ["Description", "shell\nlong text\n."],
    ],
  );
  t.strictSame([...parseControl("")], []);
});

t.test("what is no Debian package is refused", async (t) => {
  const host = memory(t);
  const two = Buffer.from("2.0\n");
  const cases: readonly (readonly [name: string, bytes: Buffer, reason: RegExp])[] = [
    ["empty", Buffer.alloc(0), /magic number/],
    ["text", Buffer.from("hello, this is text"), /magic number/],
    ["wrong first member", arOf([["control.tar", two]]), /debian-binary/],
    ["future format", arOf([["debian-binary", Buffer.from("3.0\n")]]), /format other than 2/],
    [
      "no data",
      arOf([
        ["debian-binary", two],
        ["control.tar", tarOf([])],
      ]),
      /'data.tar' is missing/,
    ],
    [
      "unknown compression",
      arOf([
        ["debian-binary", two],
        ["control.tar", tarOf([])],
        ["data.tar.lz", two],
      ]),
      /data.tar.lz/,
    ],
    [
      "the same member twice",
      arOf([
        ["debian-binary", two],
        ["data.tar", two],
        ["data.tar", two],
      ]),
      /two members/,
    ],
    [
      "cut member",
      arOf([
        ["debian-binary", two],
        ["data.tar", Buffer.alloc(100)],
      ]).subarray(0, 150),
      /cut off/,
    ],
    [
      "bad size",
      Buffer.from(
        arOf([["debian-binary", two]])
          .toString("latin1")
          .replace(/4 {9}`/, "x         `"),
        "latin1",
      ),
      /not a number/,
    ],
  ];
  for (const [name, bytes, reason] of cases) {
    await host.fs.promises.writeFile("/w/p.deb", bytes);
    const { error } = await attemptOn(host, openDebianPackage("/w/p.deb"));
    t.match(error?.message, reason, name);
    t.match(error?.message, "/w/p.deb", `${name}: the file is named`);
  }
});

t.test("decompression", async (t) => {
  const host = disk(t);
  const plain = Buffer.from("the same bytes, again and again. ".repeat(9000));
  const collect = async (bytes: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    return Buffer.concat(parts);
  };
  const part = (bytes: Buffer, compression: "gzip" | "xz" | "zstd", fallback?: string[]) => {
    const path = `${host.directory}/${compression}-${runs++}`;
    // Something before and after, which must not be read.
    writeFileSync(path, Buffer.concat([Buffer.from("junk"), bytes, Buffer.from("\njunk")]));
    return { path, start: 4, size: bytes.length, compression, ...(fallback === undefined ? {} : { fallback }) };
  };
  const compressors = {
    gzip: () => gzipSync(plain),
    xz: () => execFileSync("xz", ["-c"], { input: plain }),
    zstd: () => execFileSync("zstd", ["-c"], { input: plain }),
  };
  for (const compression of ["gzip", "xz", "zstd"] as const) {
    const missing = compression !== "gzip" && spawnSync(compression, ["--version"]).status !== 0;
    t.test(compression, { skip: missing ? `no ${compression} on the PATH` : false }, async (t) => {
      const bytes = compressors[compression]();
      t.ok((await runOn(host, withDecompressed(part(bytes, compression), collect))).equals(plain));
      const damaged = Buffer.from(bytes);
      damaged.fill(0, bytes.length >> 1);
      const { error } = await attemptOn(host, withDecompressed(part(damaged, compression), collect));
      t.match(error, { _tag: "DecompressionFailed" }, "damage is found");
      const cut = await attemptOn(
        host,
        withDecompressed(part(bytes.subarray(0, bytes.length - 10), compression), collect),
      );
      t.match(cut.error, { _tag: "DecompressionFailed" }, "a missing end is found");
      const bomb = await attemptOn(host, withDecompressed(part(bytes, compression), collect, 10_000));
      t.match(bomb.error, { _tag: "ArchiveTooLarge", limit: 10_000 }, "a bomb is stopped");
      const early = withDecompressed(part(bytes, compression), async () => "enough");
      t.equal(await runOn(host, early), "enough", "a consumer may stop early");
    });
  }

  t.test("interruption stops a decompressor that says nothing", async (t) => {
    const path = process.env["PATH"];
    t.teardown(() => {
      process.env["PATH"] = path;
    });
    mkdirSync(`${host.directory}/slow`);
    writeFileSync(
      `${host.directory}/slow/xz`,
      `#!/bin/sh\necho $$ > ${host.directory}/pid\necho first\nexec sleep 1000\n`,
    );
    chmodSync(`${host.directory}/slow/xz`, 0o755);
    process.env["PATH"] = `${host.directory}/slow:${path}`;
    let ended = false;
    const consume = async (bytes: AsyncIterable<Uint8Array>): Promise<void> => {
      try {
        await collect(bytes);
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 20));
        ended = true;
      }
    };
    const effect = withDecompressed(part(Buffer.from("x"), "xz"), consume).pipe(Effect.timeoutOption(300));
    t.equal((await runOn(host, effect))._tag, "None");
    t.ok(ended, "and waits for the one who was reading");
    const pid = Number(readFileSync(`${host.directory}/pid`, "utf8"));
    await t.resolves(gone(pid), "the process is dead");
  });

  t.test("without xz on the PATH", async (t) => {
    const path = process.env["PATH"];
    t.teardown(() => {
      process.env["PATH"] = path;
    });
    process.env["PATH"] = `${host.directory}/bin`;
    const none = await attemptOn(host, withDecompressed(part(Buffer.from("x"), "xz"), collect));
    t.match(none.error, { _tag: "DecompressorMissing" });
    t.match(none.error?.message, /apt install xz-utils/);
    mkdirSync(`${host.directory}/bin`);
    writeFileSync(`${host.directory}/bin/dpkg-deb`, '#!/bin/sh\necho "from dpkg-deb $1"\n');
    chmodSync(`${host.directory}/bin/dpkg-deb`, 0o755);
    const text = await runOn(
      host,
      withDecompressed(part(Buffer.from("x"), "xz", ["dpkg-deb", "--fsys-tarfile"]), collect),
    );
    t.equal(text.toString(), "from dpkg-deb --fsys-tarfile\n");
  });
});
