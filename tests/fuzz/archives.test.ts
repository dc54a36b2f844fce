import fc from "fast-check";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import t from "tap";
import { gunzipSync, gzipSync } from "node:zlib";
import { isArchiveError } from "#lib/archives/errors.ts";
import { unpackDebianPackages } from "#lib/archives/unpack.ts";
import { unpackTree } from "#lib/archives/unpack-tree.ts";
import { hashTree } from "#lib/store/hash-tree.ts";
import { NarReader } from "#lib/store/nar-reader.ts";
import { deleteTree, TreeWriter } from "#lib/store/tree.ts";
import { hostPath } from "#lib/store/tree-files.ts";
import { arOf, attemptOn, cpioOf, debOf, type Host, resum, tarOf, zipOf } from "../archives/support.ts";
import { mutated, runs } from "./mutation.ts";

const byteLimit = 1 << 20;
/** Milliseconds after which an unpacking counts as hanging. */
const patience = 20_000;

const sketches = [
  { path: "dir", type: "directory" as const },
  { path: "dir/file", content: "content\n".repeat(90) },
  { path: "dir/run", content: "#!/bin/sh\n", mode: 0o755 },
  { path: "dir/link", type: "symlink" as const, target: "../top" },
  { path: "dir/second", type: "hardlink" as const, target: "dir/file" },
  { path: "top", content: "x" },
  { path: `long/${"n".repeat(120)}/${"m".repeat(120)}`, content: "long" },
];
const [file, directory, link] = [0o100644, 0o040755, 0o120777];
const cpio = cpioOf([
  ["dir", directory],
  ["dir/file", file, "content\n".repeat(90)],
  ["dir/link", link, "../top"],
  ["top", file, "x", 2, 7],
  ["other", file, "", 2, 7],
]);
const zip = zipOf([
  { name: "dir/" },
  { name: "dir/file", content: "content\n".repeat(90), deflate: true },
  { name: "dir/link", content: "../top", mode: link },
  { name: "top", content: "x", mode: 0o100755 },
]);

/** Without its checksum a changed header is never read any further. */
function withChecksums(tar: Buffer): Buffer {
  const repaired = Buffer.from(tar);
  for (let block = 0; block + 512 <= repaired.length; block += 512) {
    // Only what looks like a header: contents stay as they are.
    if (repaired.toString("latin1", block + 257, block + 262) === "ustar") resum(repaired.subarray(block, block + 512));
  }
  return repaired;
}

/** How each format is unpacked into a directory. */
interface Format {
  readonly samples: readonly Buffer[];
  /** What is done with the changed bytes, so that they get past the first check. */
  readonly wrap?: (bytes: Buffer) => Buffer;
  readonly unpack: (host: Host, archive: string, destination: string) => Promise<{ readonly error?: unknown }>;
}

const asTree: Format["unpack"] = (host, archive, destination) =>
  attemptOn(host, unpackTree({ archive, destination, byteLimit }));

const asPackage: Format["unpack"] = (host, archive, destination) => {
  const scratch = join(host.directory, "scratch");
  nodeFs.mkdirSync(scratch, { recursive: true });
  return attemptOn(
    host,
    unpackDebianPackages({ packages: [{ name: "p", path: archive }], destination, scratch, byteLimit }),
  );
};

const asNar: Format["unpack"] = async (_, archive, destination) => {
  const writer = new TreeWriter(nodeFs, destination);
  const reader = new NarReader(writer);
  try {
    await reader.push(nodeFs.readFileSync(archive));
    reader.end();
    return {};
  } catch (error) {
    return { error };
  } finally {
    writer.close();
  }
};

async function nar(): Promise<Buffer> {
  const root = nodeFs.mkdtempSync(join(tmpdir(), "fuzz-nar-"));
  nodeFs.mkdirSync(join(root, "dir/empty"), { recursive: true });
  nodeFs.writeFileSync(join(root, "dir/file"), "content\n".repeat(90), { mode: 0o755 });
  nodeFs.symlinkSync("../top", join(root, "dir/link"));
  nodeFs.writeFileSync(join(root, "top"), "x");
  const chunks: Buffer[] = [];
  await hashTree(nodeFs, root, {}, (chunk) => void chunks.push(Buffer.from(chunk)));
  await deleteTree(nodeFs, root);
  return Buffer.concat(chunks);
}

const inner = (sample: Buffer): Format => ({
  samples: [sample],
  wrap: (bytes) =>
    arOf([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync(tarOf([{ path: "control", content: "Package: p\nVersion: 1\n" }]))],
      ["data.tar.gz", gzipSync(withChecksums(bytes))],
    ]),
  unpack: asPackage,
});

const formats: Readonly<Record<string, Format>> = {
  "a tar archive": { samples: [tarOf(sketches)], wrap: withChecksums, unpack: asTree },
  "a tar archive in gzip": { samples: [tarOf(sketches)], wrap: (tar) => gzipSync(withChecksums(tar)), unpack: asTree },
  "a gzip file": { samples: [gzipSync(tarOf(sketches)), gzipSync(cpio)], unpack: asTree },
  "a cpio archive": { samples: [cpio], unpack: asTree },
  "a zip archive": { samples: [zip], unpack: asTree },
  "a Debian package": { samples: [debOf(sketches)], unpack: asPackage },
  "the archive in a Debian package": inner(gunzipSync(gzipSync(tarOf(sketches)))),
  "a NAR": { samples: [await nar()], unpack: asNar },
};

/** A link in a source tree may not lead out of it; those in packages and store paths may. */
function leadsOut(path: string, destination: string): boolean {
  const target = resolve(dirname(path), nodeFs.readlinkSync(hostPath(path), "latin1"));
  return target !== destination && !target.startsWith(`${destination}/`);
}

/** What a directory holds outside of `destination`, and what inside of it leads out. Names need not be UTF-8. */
function damage(root: string, destination: string, unpack: Format["unpack"]): string[] {
  const found: string[] = [];
  const walk = (place: string): void => {
    for (const entry of nodeFs.readdirSync(hostPath(place), { withFileTypes: true, encoding: "latin1" })) {
      const path = join(place, entry.name);
      const inside = path === destination || path.startsWith(`${destination}/`);
      const above = destination.startsWith(`${path}/`);
      if (!inside && !above && !["archive", "scratch"].includes(entry.name)) found.push(`${path} was made`);
      if (inside && !entry.isDirectory() && !entry.isFile() && !entry.isSymbolicLink())
        found.push(`${path} is special`);
      if (unpack === asTree && entry.isSymbolicLink() && leadsOut(path, destination)) found.push(`${path} leads out`);
      if (entry.isFile() && (nodeFs.statSync(hostPath(path)).mode & 0o7000) !== 0)
        found.push(`${path} has special bits`);
      if (entry.isDirectory() && entry.name !== "scratch") walk(path);
    }
  };
  walk(root);
  return found;
}

for (const [name, { samples, wrap = (bytes: Buffer) => bytes, unpack }] of Object.entries(formats)) {
  void t.test(
    `whatever is done to ${name}, it stays in its directory, ends, and says why it was refused`,
    async (t) => {
      const root = nodeFs.mkdtempSync(join(tmpdir(), "fuzz-"));
      t.teardown(() => deleteTree(nodeFs, root));
      let [accepted, refused] = [0, 0];
      /** Deep enough that "../.." does not leave what is looked at. */
      const work = join(root, "tree", "a", "b", "c", "d");
      const attempt = async (bytes: Buffer): Promise<unknown> => {
        await deleteTree(nodeFs, join(root, "tree"));
        nodeFs.mkdirSync(work, { recursive: true });
        const archive = join(work, "archive");
        const destination = join(work, "destination");
        nodeFs.writeFileSync(archive, wrap(bytes));
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<never>((_, fail) => {
          timer = setTimeout(() => fail(new Error("it hangs")), patience);
        });
        const { error } = await Promise.race([unpack({ fs: nodeFs, directory: work }, archive, destination), late]);
        clearTimeout(timer);
        const wrong = [
          ...damage(root, destination, unpack),
          ...(nodeFs.existsSync("/escaped") ? ["/escaped was made"] : []),
        ];
        if (wrong.length > 0) throw new Error(wrong.join("\n"));
        return error;
      };
      for (const sample of samples) t.equal(await attempt(sample), undefined, "the archive itself is good");
      await fc.assert(
        fc.asyncProperty(mutated(samples), async (bytes) => {
          const error = await attempt(bytes);
          if (error === undefined) {
            accepted++;
            return;
          }
          const tag = (error as { readonly _tag?: unknown })._tag;
          if (!isArchiveError(error) && tag !== "NarError") throw error;
          if (!(error instanceof Error) || error.message.length < 10) throw new Error("a refusal without a reason");
          refused++;
        }),
        { numRuns: runs },
      );
      t.ok(refused > 0, `${accepted} unpacked, ${refused} refused`);
    },
  );
}
