import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import t from "tap";
import { gzipSync } from "node:zlib";
import type { EntryReaderOptions } from "#lib/archives/entry-reader.ts";
import { withArchive } from "#lib/archives/open.ts";
import { unpackTree } from "#lib/archives/unpack-tree.ts";
import type { UnpackTreeOptions } from "#lib/archives/unpack-tree.ts";
import { attemptOn, cpioOf, hosts, tarOf, zipOf } from "./support.ts";
import type { Host } from "./support.ts";

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
  const missing = (command: string) =>
    spawnSync(command, ["--version"]).error === undefined ? false : `no ${command} on the PATH`;
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
  }
});
