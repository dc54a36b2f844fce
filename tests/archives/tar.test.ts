import * as fc from "fast-check";
import { Volume } from "memfs";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, linkSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import assert from "node:assert/strict";
import t from "tap";
import { FileSource, StreamSource } from "#lib/archives/byte-source.ts";
import type { OpenFile } from "#lib/archives/byte-source.ts";
import { TarReader } from "#lib/archives/tar-reader.ts";
import type { ArchiveError } from "#lib/archives/errors.ts";
import { pieces, rawHeader, readTar, resum, sketchHeader, tarOf } from "./support.ts";
import type { Sketch } from "./support.ts";

const end = Buffer.alloc(1024);

/** The error that reading ends with. */
async function failure(bytes: Buffer, options = {}): Promise<ArchiveError> {
  try {
    await readTar(bytes, options);
  } catch (error) {
    return error as ArchiveError;
  }
  throw new Error("the archive was read without complaint");
}

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

const noTar = spawnSync("tar", ["--version"]).status === 0 ? false : "no tar on the PATH";

t.test("GNU tar's archives are read, in every format it writes", { skip: noTar }, async (t) => {
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
