/** Every parser of what comes from outside, archives and texts, against valid files that were changed at random. */
import fc from "fast-check";
import t from "tap";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize, resolve } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { isArchiveError } from "#lib/archives/errors.ts";
import { unpackTree } from "#lib/archives/unpack-tree.ts";
import { unpackDebianPackages } from "#lib/archives/unpack.ts";
import { parseAterm, printAterm } from "#lib/derivations/aterm.ts";
import { parseHash, sha256 } from "#lib/derivations/hash.ts";
import { parseStorePath } from "#lib/derivations/store-path.ts";
import { printLock } from "#lib/flake/lock-file.ts";
import { parseLock } from "#lib/flake/lock-parse.ts";
import type { Lock } from "#lib/flake/lock.ts";
import { parseNarInfo, printNarInfo } from "#lib/store/cache/narinfo.ts";
import { hashTree } from "#lib/store/hash-tree.ts";
import { NarReader } from "#lib/store/nar-reader.ts";
import { parsePathInfo, type PathInfo, printPathInfo } from "#lib/store/path-info.ts";
import { parseIdentity } from "#lib/store/process-identity.ts";
import { parseRealisation, parseSignedRealisation, printSignedRealisation } from "#lib/store/realisation.ts";
import { generateKeyPair, parsePublicKey, parseSecretKey, pathFingerprint, signText } from "#lib/store/signature.ts";
import { hostPath } from "#lib/store/tree-files.ts";
import { deleteTree, TreeWriter } from "#lib/store/tree.ts";
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

/** How each format of archives is unpacked into a directory. */
interface ArchiveFormat {
  readonly samples: readonly Buffer[];
  /** What is done with the changed bytes, so that they get past the first check. */
  readonly wrap?: (bytes: Buffer) => Buffer;
  readonly unpack: (host: Host, archive: string, destination: string) => Promise<{ readonly error?: unknown }>;
}

const asTree: ArchiveFormat["unpack"] = (host, archive, destination) =>
  attemptOn(host, unpackTree({ archive, destination, byteLimit }));

const asPackage: ArchiveFormat["unpack"] = (host, archive, destination) => {
  const scratch = join(host.directory, "scratch");
  nodeFs.mkdirSync(scratch, { recursive: true });
  return attemptOn(
    host,
    unpackDebianPackages({ packages: [{ name: "p", path: archive }], destination, scratch, byteLimit }),
  );
};

const asNar: ArchiveFormat["unpack"] = async (_, archive, destination) => {
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

const inner = (sample: Buffer): ArchiveFormat => ({
  samples: [sample],
  wrap: (bytes) =>
    arOf([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync(tarOf([{ path: "control", content: "Package: p\nVersion: 1\n" }]))],
      ["data.tar.gz", gzipSync(withChecksums(bytes))],
    ]),
  unpack: asPackage,
});

const archives: Readonly<Record<string, ArchiveFormat>> = {
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
function damage(root: string, destination: string, unpack: ArchiveFormat["unpack"]): string[] {
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

for (const [name, { samples, wrap = (bytes: Buffer) => bytes, unpack }] of Object.entries(archives)) {
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

/** A parser of text, with valid files and how it says no. */
interface TextFormat {
  readonly samples: readonly (string | Buffer)[];
  /** Reads the file, and prints it again where that is to give the same. */
  readonly read: (bytes: Buffer) => string | undefined;
  /** The tag of its errors; none if it gives undefined instead. */
  readonly refuses?: string;
}

const [narHash, reference] = [sha256("content"), "/nix/store/z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep"];
const path = parseStorePath("/nix/store/30w37wgm2j7igjji86c2az8r09g8zr0x-user");
const unsigned: PathInfo = { path, narHash, narSize: 216, references: [parseStorePath(reference), path] };
const key = generateKeyPair("test-1");
const info: PathInfo = {
  ...unsigned,
  contentAddress: `fixed:r:sha256:${"0".repeat(52)}`,
  signatures: [signText(pathFingerprint(unsigned), parseSecretKey(key.secret))],
};
const realisation = { key: `sha256:${narHash.hex}!out`, path } as const;
const golden = join(import.meta.dirname, "../derivations/golden");
const derivation = (name: string): Buffer =>
  nodeFs.readFileSync(join(golden, nodeFs.readdirSync(golden).find((file) => file.slice(33) === `${name}.drv`)!));

const pool = "pool/main/b/bash/bash_5.2-1_amd64.deb";
const lock: Lock = {
  environments: new Map([
    [
      "tools",
      {
        request: {
          name: "tools",
          suite: "trixie",
          components: ["main"],
          architectures: ["amd64"],
          packages: ["bash"],
          essential: true,
        },
        packages: [pool],
      },
    ],
  ]),
  packages: new Map([
    [pool, { name: "bash", version: "5.2-1", architecture: "amd64", path: pool, size: 1, sha256: narHash.hex }],
  ]),
};

const texts: Readonly<Record<string, TextFormat>> = {
  ...Object.fromEntries(
    ["simple", "multi", "user-user", "escapes", "flat.txt", "structured"].map((name) => [
      `the derivation '${name}'`,
      {
        samples: [derivation(name)],
        read: (bytes: Buffer) => printAterm(parseAterm(name, bytes)),
        refuses: "AtermError",
      },
    ]),
  ),
  "a narinfo": {
    samples: [printNarInfo({ info, url: "nar/x.nar.xz", compression: "xz", fileHash: narHash, fileSize: 9 })],
    read: (bytes) => {
      const { url } = parseNarInfo(bytes.toString("utf8"));
      if (/^\/|(^|\/)\.\.(\/|$)/.test(url)) throw new Error(`the URL ${url} leads out of the cache`);
      return undefined;
    },
    refuses: "NarInfoSyntaxError",
  },
  "an info file": {
    samples: [printPathInfo(info), printPathInfo(unsigned)],
    read: (bytes) => void parsePathInfo(bytes.toString("utf8")),
  },
  "a realisation": {
    samples: [printSignedRealisation(realisation, info.signatures ?? [])],
    read: (bytes) => {
      void parseRealisation(bytes.toString("utf8"));
      void parseSignedRealisation(bytes.toString("utf8"));
      return undefined;
    },
  },
  "a lock file": {
    samples: [printLock(lock)],
    read: (bytes) => {
      for (const path of parseLock("flake.lock", bytes).packages.keys()) {
        if (!path.startsWith("pool/") || path.split("/").includes("..")) throw new Error(`accepted ${path}`);
      }
      return undefined;
    },
    refuses: "LockFileMalformed",
  },
  "a store path": {
    samples: [path, reference],
    read: (bytes) => {
      const text = bytes.toString("utf8");
      const parsed: string = parseStorePath(text);
      if (parsed !== text || dirname(normalize(parsed)) !== "/nix/store") throw new Error(`accepted ${parsed}`);
      return undefined;
    },
    refuses: "StorePathError",
  },
  "a hash": {
    samples: [`sha256:${narHash.hex}`, `sha256-${Buffer.from(narHash.hex, "hex").toString("base64")}`],
    read: (bytes) => void parseHash(bytes.toString("utf8")),
    refuses: "HashSyntaxError",
  },
  "a public key": {
    samples: [key.public],
    read: (bytes) => void parsePublicKey(bytes.toString("utf8")),
    refuses: "KeySyntaxError",
  },
  "a secret key": {
    samples: [key.secret],
    read: (bytes) => void parseSecretKey(bytes.toString("utf8")),
    refuses: "KeySyntaxError",
  },
  "the name of a lock's owner": {
    samples: ["4711.123456.0123456789abcdef0123456789abcdef"],
    read: (bytes) => void parseIdentity(bytes.toString("utf8")),
  },
};

for (const [name, { samples, read, refuses }] of Object.entries(texts)) {
  void t.test(`whatever is done to ${name}, it is read or refused, and nothing else happens`, async (t) => {
    const files = samples.map((sample) => Buffer.from(sample));
    for (const file of files) t.doesNotThrow(() => read(file), "the file itself is good");
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(mutated(files), (bytes) => {
        try {
          const printed = read(bytes);
          if (printed !== undefined && printed !== bytes.toString("utf8")) throw new Error("it prints differently");
          accepted++;
        } catch (error) {
          if ((error as { readonly _tag?: unknown })._tag !== refuses || refuses === undefined) throw error;
          if (!(error instanceof Error && error.message.length >= 10)) {
            throw new Error("a refusal without a reason", { cause: error });
          }
          refused++;
        }
      }),
      { numRuns: runs },
    );
    t.ok(refuses === undefined || refused > 0, `${accepted} accepted, ${refused} refused`);
  });
}
