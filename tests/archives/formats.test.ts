/** The formats of archives, tar, cpio and zip: what is read, what is refused, and what GNU tar, cpio and zip write. */
import * as fc from "fast-check";
import { Volume } from "memfs";
import t from "tap";
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { FileSource, type OpenFile, StreamSource } from "#lib/archives/byte-source.ts";
import type { EntryReaderOptions } from "#lib/archives/entry-reader.ts";
import type { ArchiveError } from "#lib/archives/errors.ts";
import { withArchive } from "#lib/archives/open.ts";
import { TarReader } from "#lib/archives/tar-reader.ts";
import { unpackTree, type UnpackTreeOptions } from "#lib/archives/unpack-tree.ts";
import {
  attemptOn,
  cpioOf,
  type Host,
  hosts,
  pieces,
  rawHeader,
  readTar,
  resum,
  type Sketch,
  sketchHeader,
  tarOf,
  zipOf,
} from "./support.ts";

/** Why a test of a program of the host is left out. */
const missing = (command: string) =>
  spawnSync(command, ["--version"]).error === undefined ? false : `no ${command} on the PATH`;

const end = Buffer.alloc(1024);

/** The error that reading a tar archive ends with. */
async function failure(bytes: Buffer, options = {}): Promise<ArchiveError> {
  try {
    await readTar(bytes, options);
  } catch (error) {
    return error as ArchiveError;
  }
  throw new Error("the archive was read without complaint");
}

const [, memory] = hosts[0]!;
const [, disk] = hosts[1]!;

let runs = 0;

/** Reads an archive of any format: "path type mode target-or-content" of each entry, or the error. */
async function list(host: Host, bytes: Buffer, options: EntryReaderOptions = {}) {
  const path = `${host.directory}/archive-${runs++}`;
  await host.fs.promises.writeFile(path, bytes);
  return attemptOn(
    host,
    withArchive(
      path,
      async (reader) => {
        const lines: string[] = [];
        for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
          let content = "";
          for (let part = await reader.chunk(); part.length > 0; part = await reader.chunk())
            content += part.toString();
          lines.push(`${entry.path} ${entry.type} ${entry.mode.toString(8)} ${entry.target ?? content}`.trim());
        }
        return lines;
      },
      options,
    ),
  );
}

t.test("tar archives", async (t) => {
  t.test("what is written is read back", async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_äß漢-][A-Za-z0-9_.äß漢-]{0,40}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 9 }).map((parts) => parts.join("/"));
    const sketch: fc.Arbitrary<Sketch> = fc.record({
      path,
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.oneof(fc.integer({ min: 0, max: 70000 }), fc.integer({ min: 0o7777777, max: 0xfffffffe })),
      gid: fc.integer({ min: 0, max: 0xfffffffe }),
      mtime: fc.integer({ min: 0, max: 0o77777777777 }),
      content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(sketch, { maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        async (sketches, pieceSize) => {
          // Each in a directory of its own, so that none collides with another.
          const unique = sketches.map((sketch, index) => ({ ...sketch, path: `${index}/${sketch.path}` }));
          const found = await readTar(tarOf(unique), { pieceSize });
          assert.deepEqual(
            found.map(({ entry: { path, mode, uid, gid, mtime, size }, content }) => ({
              path,
              mode,
              uid,
              gid,
              mtime,
              size,
              content,
            })),
            unique.map((sketch) => {
              const { path, mode, uid, gid, mtime, size } = sketchHeader(sketch);
              return { path, mode, uid, gid, mtime, size, content: sketch.content };
            }),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  t.test("every type of entry survives", async (t) => {
    const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(120)}`;
    const sketches: Sketch[] = [
      { path: "", type: "directory", mode: 0o755 },
      { path: "a", content: "text", xattrs: new Map([["security.capability", Buffer.from([1, 0, 0, 2, 255])]]) },
      { path: "b", type: "hardlink", target: "a" },
      { path: "dev", type: "directory" },
      { path: "dev/console", type: "character", device: { major: 5, minor: 1 } },
      { path: "dev/loop0", type: "block", device: { major: 7, minor: 0 } },
      { path: "dev/pipe", type: "fifo" },
      { path: "l", type: "symlink", target: "/etc/passwd" },
      { path: long, content: "deep" },
      { path: "m", type: "symlink", target: `/${long}` },
    ];
    const found = await readTar(tarOf(sketches));
    t.strictSame(
      found.map(({ entry: { path, type, target, device, xattrs } }) => ({ path, type, target, device, xattrs })),
      sketches.map(({ path, type = "file", target, device, xattrs }) => ({ path, type, target, device, xattrs })),
    );
  });

  t.test("content that nobody asks for is skipped, in streams and in files", async (t) => {
    const bytes = tarOf([
      { path: "big", content: Buffer.alloc(200_000, "x") },
      { path: "small", content: "here" },
    ]);
    const volume = Volume.fromJSON({ "/a.tar": "" });
    volume.writeFileSync("/a.tar", Buffer.concat([Buffer.from("before"), bytes]));
    const file = await volume.promises.open("/a.tar", "r");
    for (const source of [
      new StreamSource(pieces(bytes)),
      new FileSource(file as unknown as OpenFile, 6, bytes.length),
    ]) {
      const reader = new TarReader("t", source);
      await reader.next();
      t.equal((await reader.chunk(3)).toString(), "xxx", "a part was read");
      const entry = await reader.next();
      t.equal(entry?.path, "small");
      t.equal((await reader.chunk()).toString(), "here");
      t.equal(bytes.toString("latin1", entry!.offset, entry!.offset + 4), "here", "the offset leads to the content");
      t.equal(await reader.next(), undefined);
      t.equal(await reader.next(), undefined, "the end stays the end");
    }
  });

  t.test("GNU tar's archives are read, in every format it writes", { skip: missing("tar") }, async (t) => {
    const directory = mkdtempSync(`${tmpdir()}/helios-tar-`);
    t.teardown(() => rmSync(directory, { recursive: true }));
    const long = "n".repeat(120);
    mkdirSync(`${directory}/${long}`);
    writeFileSync(`${directory}/${long}/ünïcode`, "content");
    linkSync(`${directory}/${long}/ünïcode`, `${directory}/${long}/zweiter`);
    symlinkSync("t".repeat(130), `${directory}/link`);
    for (const format of ["gnu", "pax", "oldgnu"]) {
      const owner = format === "pax" ? "+3000000" : "+2000";
      const args = [`--format=${format}`, "--sort=name", `--owner=x:${owner}`, "-C", directory, "-cf", "-", "."];
      const found = await readTar(execFileSync("tar", args));
      t.strictSame(
        found.map(({ entry }) => [entry.path, entry.type, entry.target, entry.uid]),
        [
          ["", "directory", undefined, Number(owner)],
          ["link", "symlink", "t".repeat(130), Number(owner)],
          [long, "directory", undefined, Number(owner)],
          [`${long}/zweiter`, "file", undefined, Number(owner)],
          [`${long}/ünïcode`, "hardlink", `${long}/zweiter`, Number(owner)],
        ],
        format,
      );
    }
  });

  t.test("numbers in base 256 are read", async (t) => {
    const block = rawHeader("x");
    block.fill(0, 108, 116);
    block[108] = 0x80;
    block.writeUInt32BE(3_000_000_000, 112);
    const [found] = await readTar(Buffer.concat([resum(block), end]));
    t.equal(found?.entry.uid, 3_000_000_000);
  });

  t.test("hostile archives are refused, and the entry is named", async (t) => {
    const link = (path: string, target: string): Sketch => ({ path, type: "symlink", target });
    const cases: readonly (readonly [name: string, bytes: Buffer, reason: RegExp])[] = [
      ["absolute path", Buffer.concat([rawHeader("/etc/passwd"), end]), /absolute/],
      ["parent directory", Buffer.concat([rawHeader("a/../../b"), end]), /'\.\.'/],
      ["only a parent", Buffer.concat([rawHeader(".."), end]), /'\.\.'/],
      ["empty name of a file", Buffer.concat([rawHeader("./"), end]), /empty/],
      ["the same name twice", tarOf([{ path: "a" }, { path: "a" }]), /twice/],
      ["the same name spelt differently", Buffer.concat([rawHeader("a/b"), rawHeader("./a//b"), end]), /twice/],
      ["file, then directory", tarOf([{ path: "a" }, { path: "a", type: "directory" }]), /both/],
      ["through a link", tarOf([link("d", "/tmp"), { path: "d/x" }]), /below 'd', which is a symlink/],
      ["a link where something lies below", tarOf([{ path: "d/x" }, link("d", "/tmp")]), /both/],
      ["a link that climbs out", tarOf([link("a/b", "../../x")]), /leaves the tree/],
      ["a link without a target", tarOf([link("a", "")]), /no target/],
      ["a hard link to nothing", tarOf([{ path: "a", type: "hardlink", target: "b" }]), /not an earlier file/],
      [
        "a hard link through a symlink",
        tarOf([link("l", "x"), { path: "a", type: "hardlink", target: "l" }]),
        /not an earlier/,
      ],
      [
        "a hard link out",
        Buffer.concat([rawHeader("a", { type: "hardlink", target: "../../etc/shadow" }), end]),
        /'\.\.'/,
      ],
    ];
    for (const [name, bytes, reason] of cases) {
      const error = await failure(bytes);
      t.equal(error._tag, "UnsafeEntry", name);
      t.match(error.message, reason, name);
      t.match(error.message, "test.tar", `${name}: the archive is named`);
    }
    const error = await failure(tarOf([link("a", "/etc/passwd")]), { links: "tree" });
    t.match(error.message, /absolute/, "absolute links are for root file systems only");
    t.notMatch(
      (await failure(Buffer.concat([rawHeader("/\u001b[31mx"), end]))).message,
      "\u001b",
      "no control characters",
    );
  });

  t.test("damaged archives are refused", async (t) => {
    const good = tarOf([{ path: "a", content: "x".repeat(900) }, { path: "b" }]);
    for (const length of [0, 1, 511, 512, 600, 1536, 2047, 2048]) {
      const error = await failure(good.subarray(0, length));
      t.equal(error._tag, "MalformedArchive", `cut after ${length} bytes`);
      t.match(error.message, /cut off|missing/);
    }
    const flipped = Buffer.from(good);
    flipped[3] = 0x7a;
    t.match((await failure(flipped)).message, /checksum/);
    const size = rawHeader("x");
    size.write("9x", 124, "latin1");
    t.match((await failure(Buffer.concat([resum(size), end]))).message, /size is not an octal number/);
    const negative = rawHeader("x");
    negative.fill(0xff, 124, 136);
    t.match((await failure(Buffer.concat([resum(negative), end]))).message, /negative/);
    const latin = Buffer.concat([rawHeader("caf\u00e9"), end]);
    t.match((await failure(latin)).message, /UTF-8/);
    for (const record of ["5 a=b\n", "99 path=x\n", "path=x\n", "9 path=x\0", "0 x=y\n"]) {
      const body = Buffer.alloc(512);
      body.write(record);
      const header = rawHeader("pax", { flag: "x", size: Buffer.byteLength(record) });
      t.match(
        (await failure(Buffer.concat([header, body, rawHeader("x"), end]))).message,
        /pax record/,
        JSON.stringify(record),
      );
    }
  });

  t.test("what is not supported is said, not skipped", async (t) => {
    for (const flag of ["S", "M", "D", "?"]) {
      t.equal((await failure(Buffer.concat([rawHeader("x", { flag }), end])))._tag, "UnsupportedArchive", flag);
    }
    const body = Buffer.alloc(512);
    const record = "22 GNU.sparse.major=1\n";
    body.write(record);
    const header = rawHeader("pax", { flag: "x", size: record.length });
    t.match((await failure(Buffer.concat([header, body, rawHeader("x"), end]))).message, /sparse/);
  });

  t.test("bombs are refused", async (t) => {
    const many = tarOf(Array.from({ length: 50 }, (_, index) => ({ path: `f${index}` })));
    t.match((await failure(many, { entryLimit: 20 })).message, /more than 20 entries/);
    const large = Buffer.concat([rawHeader("x", { size: 2 ** 33 - 1 }), end]);
    t.match((await failure(large, { byteLimit: 2 ** 30 })).message, /decompression bomb/);
    const name = Buffer.concat([rawHeader("x", { flag: "L", size: 2 ** 30 }), end]);
    t.equal((await failure(name))._tag, "MalformedArchive", "a name of a gigabyte is not read");
  });

  t.test("arbitrary bytes give an error or entries, never anything else", async () => {
    const valid = tarOf([
      { path: "a/b", content: "hello" },
      { path: "l", type: "symlink", target: "a" },
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 }), async (changes) => {
        const bytes = Buffer.from(valid);
        for (const [offset, value] of changes) bytes[offset] = value;
        for (let block = 0; block < 4; block++) resum(bytes.subarray(block * 512, block * 512 + 512));
        try {
          await readTar(bytes);
        } catch (error) {
          if (!(error instanceof Error && "_tag" in error)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});

t.test("cpio archives", async (t) => {
  const host = memory(t);
  const file = 0o100644;
  const { value } = await list(
    host,
    cpioOf([
      [".", 0o040755],
      ["bin", 0o040755],
      ["bin/busybox", 0o100755, "binary"],
      ["bin/sh", 0o120777, "busybox"],
      ["dev/console", 0o020600],
      ["one", file, "", 3, 7],
      ["two", file, "", 3, 7],
      ["three", file, "shared", 3, 7],
      ["empty", file, "", 2, 8],
      ["empty too", file, "", 2, 8],
    ]),
  );
  t.strictSame(value, [
    "directory 755",
    "bin directory 755",
    "bin/busybox file 755 binary",
    "bin/sh symlink 777 busybox",
    "dev/console character 600",
    "three file 644 shared",
    "one hardlink 644 three",
    "two hardlink 644 three",
    "empty file 644",
    "empty too hardlink 644 empty",
  ]);
  const zipped = await list(host, gzipSync(cpioOf([["a", file, "text"]])));
  t.strictSame(zipped.value, ["a file 644 text"], "compressed ones too");

  const good = cpioOf([["abc", file, "content"]]);
  const cases: readonly (readonly [name: string, bytes: Buffer, error: object])[] = [
    ["absolute path", cpioOf([["/etc/passwd", file]]), { _tag: "UnsafeEntry", reason: /absolute/ }],
    ["parent directory", cpioOf([["../x", file]]), { _tag: "UnsafeEntry" }],
    [
      "twice",
      cpioOf([
        ["x", file],
        ["x", file],
      ]),
      { _tag: "UnsafeEntry", reason: /twice/ },
    ],
    [
      "through a link",
      cpioOf([
        ["d", 0o120777, "/tmp"],
        ["d/x", file],
      ]),
      { _tag: "UnsafeEntry", reason: /below 'd'/ },
    ],
    [
      "a linked name that climbs out",
      cpioOf([
        ["../x", file, "", 2, 1],
        ["y", file, "z", 2, 1],
      ]),
      { _tag: "UnsafeEntry" },
    ],
    ["link out", cpioOf([["x", 0o120777, "../y"]]), { _tag: "UnsafeEntry", reason: /leaves/ }],
    ["socket", cpioOf([["s", 0o140644]]), { _tag: "UnsupportedArchive" }],
    ["no trailer", cpioOf([["x", file]], false), { _tag: "MalformedArchive", reason: /trailer/ }],
    ["directory with content", cpioOf([["d", 0o040755, "x"]]), { _tag: "MalformedArchive" }],
    [
      "name of nothing",
      Buffer.concat([good.subarray(0, 94), Buffer.from("00000000"), good.subarray(102)]),
      { _tag: "MalformedArchive" },
    ],
    [
      "no number",
      Buffer.from(good.toString("latin1").replace("000081a4", "0000zzzz"), "latin1"),
      { _tag: "MalformedArchive", reason: /hexadecimal/ },
    ],
    [
      "a name without its end",
      Buffer.concat([good.subarray(0, 113), Buffer.from("!"), good.subarray(114)]),
      { _tag: "MalformedArchive", reason: /zero byte/ },
    ],
    ["cut in a name", good.subarray(0, 112), { _tag: "MalformedArchive", reason: /cut off/ }],
    ["cut in content", good.subarray(0, 118), { _tag: "MalformedArchive", reason: /cut off/ }],
  ];
  for (const [name, bytes, error] of cases) t.match((await list(host, bytes)).error, error, name);
  t.match((await list(host, cpioOf([["x", file, "12345"]]), { byteLimit: 300 })).value, ["x file 644 12345"]);
  t.match((await list(host, cpioOf([["x", file, "1".repeat(999)]]), { byteLimit: 500 })).error, {
    _tag: "ArchiveTooLarge",
  });
});

t.test("zip archives", async (t) => {
  const host = memory(t);
  const text = "again and again ".repeat(9000);
  const { value } = await list(
    host,
    zipOf(
      [
        { name: "d/" },
        { name: "d/stored", content: "as it is" },
        { name: "d/deflated", content: text, deflate: true },
        { name: "run", content: "#!", mode: 0o100755 },
        { name: "link", content: "d/stored", mode: 0o120777 },
        { name: "ünïcode" },
      ],
      "a comment",
    ),
  );
  t.strictSame(value, [
    "d directory 755",
    "d/stored file 644 as it is",
    `d/deflated file 644 ${text}`.trim(),
    "run file 755 #!",
    "link symlink 777 d/stored",
    "ünïcode file 644",
  ]);
  t.strictSame((await list(host, zipOf([]))).value, []);
  const pretence = `${zipOf([]).toString("latin1")} and more`;
  t.strictSame(
    (await list(host, zipOf([{ name: "x" }], pretence))).value,
    ["x file 644"],
    "a comment is not taken for the directory's end",
  );

  const good = zipOf([{ name: "abc", content: text, deflate: true }]);
  const damaged = Buffer.from(good);
  damaged.fill(0xff, 60, 90);
  const cases: readonly (readonly [name: string, bytes: Buffer, error: object])[] = [
    ["absolute path", zipOf([{ name: "/x" }]), { _tag: "UnsafeEntry", reason: /absolute/ }],
    ["parent directory", zipOf([{ name: "a/../../x" }]), { _tag: "UnsafeEntry" }],
    ["backslashes", zipOf([{ name: "..\\x" }]), { _tag: "UnsafeEntry", reason: /backslash/ }],
    ["twice", zipOf([{ name: "x" }, { name: "x" }]), { _tag: "UnsafeEntry", reason: /twice/ }],
    [
      "absolute link",
      zipOf([{ name: "x", content: "/etc/passwd", mode: 0o120777 }]),
      { _tag: "UnsafeEntry", reason: /absolute/ },
    ],
    ["link out", zipOf([{ name: "x", content: "../y", mode: 0o120777 }]), { _tag: "UnsafeEntry", reason: /leaves/ }],
    [
      "through a link",
      zipOf([{ name: "d", content: "e", mode: 0o120777 }, { name: "d/x" }]),
      { _tag: "UnsafeEntry", reason: /below 'd'/ },
    ],
    [
      "two names for one entry",
      zipOf([{ name: "good", localName: "evil" }]),
      { _tag: "UnsafeEntry", reason: /another name/ },
    ],
    [
      "overlapping entries",
      zipOf([
        { name: "a", content: "xxx" },
        { name: "b", offset: 10 },
      ]),
      { _tag: "MalformedArchive", reason: /overlaps/ },
    ],
    ["wrong checksum", zipOf([{ name: "a", content: "x", crc: 5 }]), { _tag: "MalformedArchive", reason: /checksum/ }],
    [
      "longer than announced",
      zipOf([{ name: "a", content: text, deflate: true, size: 10 }]),
      { _tag: "MalformedArchive", reason: /longer/ },
    ],
    [
      "shorter than announced",
      zipOf([{ name: "a", content: "x", size: 10 }]),
      { _tag: "MalformedArchive", reason: /shorter/ },
    ],
    ["damaged", damaged, { _tag: "MalformedArchive", reason: /damaged|checksum/ }],
    ["encrypted", zipOf([{ name: "a", flags: 1 }]), { _tag: "UnsupportedArchive" }],
    ["another method", zipOf([{ name: "a", method: 12 }]), { _tag: "UnsupportedArchive" }],
    ["a device", zipOf([{ name: "a", mode: 0o060644 }]), { _tag: "UnsupportedArchive" }],
    ["cut", good.subarray(0, good.length - 5), { _tag: "MalformedArchive" }],
    [
      "a directory elsewhere",
      Buffer.concat([good.subarray(0, -6), Buffer.from([255, 255, 0, 0]), good.subarray(-2)]),
      { _tag: "MalformedArchive" },
    ],
  ];
  for (const [name, bytes, error] of cases) t.match((await list(host, bytes, { links: "tree" })).error, error, name);
  t.match((await list(host, good, { byteLimit: 1000 })).error, { _tag: "ArchiveTooLarge" });
});

t.test("what zip and cpio write is read", async (t) => {
  const host = disk(t);
  const directory = mkdtempSync(`${tmpdir()}/helios-formats-`);
  t.teardown(() => rmSync(directory, { recursive: true }));
  mkdirSync(`${directory}/sub`);
  writeFileSync(`${directory}/sub/file`, "content ".repeat(1000));
  chmodSync(`${directory}/sub/file`, 0o755);
  linkSync(`${directory}/sub/file`, `${directory}/zz`);
  symlinkSync("sub/file", `${directory}/link`);
  const names = "link\nsub\nsub/file\nzz\n";
  const content = "content ".repeat(1000).trim();
  t.test("cpio", { skip: missing("cpio") }, async (t) => {
    const bytes = execFileSync("cpio", ["-o", "-H", "newc", "--quiet"], { cwd: directory, input: names });
    const { value } = await list(host, bytes);
    t.strictSame(value, [
      "link symlink 777 sub/file",
      "sub directory 755",
      `zz file 755 ${content}`,
      "sub/file hardlink 755 zz",
    ]);
  });
  t.test("zip", { skip: missing("zip") }, async (t) => {
    execFileSync("zip", ["-q", "-y", "all.zip", "-@"], { cwd: directory, input: names });
    const { value } = await list(host, readFileSync(`${directory}/all.zip`));
    t.strictSame(value, [
      "link symlink 777 sub/file",
      "sub directory 755",
      `sub/file file 755 ${content}`,
      `zz file 755 ${content}`,
    ]);
  });
});

t.test("source archives are unpacked", async (t) => {
  for (const [where, makeHost] of hosts) {
    const host = makeHost(t);
    const unpack = async (bytes: Buffer, options: Partial<UnpackTreeOptions> = {}) => {
      const work = `${host.directory}/unpack-${runs++}`;
      await host.fs.promises.writeFile(`${work}.archive`, bytes);
      const result = await attemptOn(host, unpackTree({ archive: `${work}.archive`, destination: work, ...options }));
      return { error: result.error, work };
    };
    const source = gzipSync(
      tarOf([
        { path: "package-1.0", type: "directory" },
        { path: "package-1.0/index.js", content: "code" },
        { path: "package-1.0/bin/run", content: "#!", mode: 0o755, uid: 501 },
        { path: "package-1.0/bin/again", type: "hardlink", target: "package-1.0/bin/run" },
        { path: "package-1.0/link", type: "symlink", target: "bin/run" },
        { path: "package-1.0/test/x", content: "left out" },
      ]),
    );
    const { error, work } = await unpack(source, { strip: 1, exclude: ["test"] });
    t.equal(error, undefined, where);
    t.strictSame((await host.fs.promises.readdir(work)).map(String).sort(), ["bin", "index.js", "link"]);
    t.equal(await host.fs.promises.readFile(`${work}/link`, "utf8"), "#!");
    t.equal((await host.fs.promises.stat(`${work}/bin/again`)).mode & 0o777, 0o755);

    const refused: readonly (readonly [name: string, bytes: Buffer, strip: number, error: object])[] = [
      [
        "nothing left of a name",
        tarOf([{ path: "readme" }]),
        1,
        { _tag: "UnsafeEntry", reason: /'strip' is 1, and has to be smaller/ },
      ],
      [
        "a link that leaves what is left",
        tarOf([{ path: "p/l", type: "symlink", target: "../q" }]),
        1,
        { _tag: "UnsafeEntry", reason: /leaves/ },
      ],
      [
        "an absolute link",
        tarOf([{ path: "l", type: "symlink", target: "/etc" }]),
        0,
        { _tag: "UnsafeEntry", reason: /absolute/ },
      ],
      ["names that become one", tarOf([{ path: "a/x" }, { path: "b/x" }]), 1, { _tag: "UnsafeEntry", reason: /twice/ }],
      [
        "through a link of another directory",
        tarOf([{ path: "a/l", type: "symlink", target: "d" }, { path: "b/l/x" }]),
        1,
        { _tag: "UnsafeEntry" },
      ],
      [
        "another compression",
        Buffer.from("BZh91AY&SY"),
        0,
        { _tag: "UnsupportedArchive", feature: "bzip2 compression" },
      ],
      ["a device", tarOf([{ path: "d", type: "fifo" }]), 0, { _tag: "UnsupportedArchive" }],
    ];
    for (const [name, bytes, strip, error] of refused)
      t.match((await unpack(bytes, { strip })).error, error, `${name} ${where}`);
    for (const path of ["BZh9", "LZIP", "Rar!", "7z"]) {
      const bytes = Buffer.concat([rawHeader(path), Buffer.alloc(1024)]);
      t.equal((await unpack(bytes)).error, undefined, `a file called ${path} ${where}`);
    }
  }
});
