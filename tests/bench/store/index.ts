/**
 * Measures the store, beside real Nix where there is one on the PATH:
 *
 *     node --import=tsx tests/bench/store/index.ts [name …]
 *
 * Prints CPU and wall time in seconds. Without Nix, the ratio is to what was
 * measured with Nix 2.34.8 on a comparable machine.
 */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { execFileSync } from "node:child_process";
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { derivation, type Derivation } from "#lib/derivations/derivation.ts";
import { instantiate } from "#lib/derivations/instantiate.ts";
import { sha256 } from "#lib/derivations/hash.ts";
import { source } from "#lib/derivations/source.ts";
import { contentAddress, type StorePath, textPath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { hashTree } from "#lib/store/hash-tree.ts";
import { infoFile } from "#lib/store/layout.ts";
import { NarReader } from "#lib/store/nar-reader.ts";
import { printPathInfo } from "#lib/store/path-info.ts";
import { Store, type StoreShape } from "#lib/store/store.ts";
import { deleteTree } from "#lib/store/tree.ts";
import { makeToolRoot } from "../../build/tool-root.ts";

interface Time {
  readonly cpu: number;
  readonly wall: number;
}

interface Measurement {
  readonly name: string;
  /** What has to be there first; not measured. */
  readonly prepare?: () => Promise<unknown>;
  /** Work of this process, or a shell command whose descendants count too. */
  readonly ours: (() => Promise<unknown>) | string;
  /** A shell command that does the same with real Nix. */
  readonly nix?: string;
  /** CPU seconds of Nix 2.34.8, for machines without it. */
  readonly recorded?: number;
}

const work = nodeFs.mkdtempSync(join(tmpdir(), "store-bench-"));
const nix = ((): string | undefined => {
  try {
    return execFileSync("nix", ["--version"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
})();

async function measure(run: () => Promise<unknown>): Promise<Time> {
  const before = process.cpuUsage();
  const start = performance.now();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - start) / 1e3 };
}

function measureShell(command: string): Time {
  const script = `TIMEFORMAT='%U %S %R'; { time { ${command}; } >/dev/null 2>&1; } 2>&1`;
  const [user = 0, system = 0, wall = 0] = execFileSync("bash", ["-c", script], { encoding: "utf8" })
    .trim()
    .split(" ")
    .map(Number);
  return { cpu: user + system, wall };
}

/** What Node and the TypeScript loader take before anything of ours runs. */
const nodeStart = (): Time => measureShell(`${process.execPath} --import=tsx -e 0`);

function less(whole: Time, part: Time): Time {
  return { cpu: Math.max(whole.cpu - part.cpu, 0), wall: Math.max(whole.wall - part.wall, 0) };
}

const withStore = <A, E>(root: string, use: (store: StoreShape) => Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(
    Effect.flatMap(Store, use).pipe(
      Effect.provide(Store.layer({ root: join(work, root) }).pipe(Layer.provide(FileSystem.layer))),
    ),
  );

/** Ten thousand files of some hundred bytes in a hundred directories. */
function plantSmall(root: string): void {
  for (let directory = 0; directory < 100; directory++) {
    const path = join(root, `d${directory}`);
    nodeFs.mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file++) {
      nodeFs.writeFileSync(join(path, `f${file}`), `${directory} ${file}\n`.repeat(file));
    }
  }
}

const small = join(work, "small");
const big = join(work, "big");
plantSmall(small);
const block = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => (index * 2654435761) >>> 24));
for (let index = 0; index < 256; index++) nodeFs.appendFileSync(big, block);

function chain(length: number, seed: string): Derivation {
  let last = derivation({ name: "n0", builder: "/bin/sh", args: ["-c", `echo ${seed} > $out`] });
  for (let index = 1; index < length; index++) {
    last = derivation({ name: `n${index}`, builder: "/bin/sh", args: ["-c", `cat ${last} > $out`] });
  }
  return last;
}

async function streamZeros(size: number): Promise<void> {
  let written = 0;
  const reader = new NarReader({
    enter: () => {},
    leave: () => {},
    file: () => {},
    data: (chunk) => void (written += chunk.length),
    endFile: () => {},
    symlink: () => {},
  });
  const sparse = join(work, "sparse");
  nodeFs.writeFileSync(sparse, "");
  nodeFs.truncateSync(sparse, size);
  await hashTree(nodeFs, sparse, {}, (chunk) => reader.push(chunk));
  reader.end();
  if (written !== size) throw new Error(`streamed ${written} of ${size} bytes`);
}

/** A store with so many texts, every second of which needs the one before; written as the store writes, but faster. */
async function plantPaths(root: string, count: number): Promise<void> {
  await withStore(root, (store) =>
    Effect.promise(async () => {
      let last: StorePath | undefined;
      for (let index = 0; index < count; index++) {
        const content = `${index}\n`;
        const references = last === undefined ? [] : [last];
        const path = textPath(`text-${index}`, sha256(content), references);
        nodeFs.writeFileSync(store.physical(path), content, { mode: 0o444 });
        const contentHash = sha256(content);
        const info = {
          path,
          narHash: contentHash,
          narSize: 120,
          references,
          contentAddress: contentAddress("text", contentHash),
        };
        nodeFs.writeFileSync(infoFile(store.layout, path), printPathInfo(info));
        last = index % 2 === 0 ? path : undefined;
      }
    }),
  );
}

const tools = await makeToolRoot();
const buildChild = join(import.meta.dirname, "../../build/build-child.ts");
/** Builds `count` small derivations and one that needs them all, two at a time. */
const builds = (count: number): string =>
  `${process.execPath} --import=tsx ${buildChild} ${join(work, "builds")} ${tools.path} : ${count}`;

const nixStore = `nix --extra-experimental-features nix-command --store ${work}/nix store add-path`;
const ten = "addition of 10,000 files";
const measurements: readonly Measurement[] = [
  {
    name: "NAR hash of 10,000 small files",
    ours: () => hashTree(nodeFs, small),
    nix: `nix-hash --type sha256 ${small}`,
    recorded: 0.18,
  },
  {
    name: "NAR hash of one file of 256 MiB",
    ours: () => hashTree(nodeFs, big),
    nix: `nix-hash --type sha256 ${big}`,
    recorded: 0.22,
  },
  {
    name: ten,
    ours: () => withStore("store", (store) => store.addSource(source({ path: small }))),
    nix: `${nixStore} ${small}`,
    recorded: 0.65,
  },
  {
    name: `${ten}, again`,
    ours: () => withStore("store", (store) => store.addSource(source({ path: small }))),
    nix: `${nixStore} ${small}`,
    recorded: 0.26,
  },
  {
    name: "instantiation of a chain of 10,000 derivations",
    ours: async () => instantiate([chain(10_000, "bench")], new Map()),
    recorded: 0.31,
  },
  {
    name: "1,000 texts written to the store",
    ours: () =>
      withStore("texts", (store) =>
        Effect.forEach(
          Array.from({ length: 1000 }, (_, index) => index),
          (index) => store.addText(`text-${index}`, `content ${index}\n`, []),
          { concurrency: 16, discard: true },
        ),
      ),
    recorded: 0.5,
  },
  {
    name: "garbage collection of 100,000 paths",
    prepare: () => plantPaths("garbage", 100_000),
    ours: () => withStore("garbage", (store) => store.collectGarbage()),
  },
  {
    name: "101 trivial sandboxed builds, -j2, beside Node's start",
    prepare: async () => measureShell(builds(0)),
    ours: builds(100),
    recorded: 3.6,
  },
  { name: "the same again: nothing to do, beside Node's start", ours: builds(100), recorded: 0.028 },
  { name: "4 GiB streamed through writer, hash and reader", ours: () => streamZeros(4 * 2 ** 30) },
];

const wanted = process.argv.slice(2);
console.log(nix === undefined ? "no nix on the PATH: ratios are to recorded figures of 2.34.8" : `beside ${nix}`);
const pad = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(3)).padStart(9);
console.log(`${"".padEnd(56)}      cpu     wall  nix cpu nix wall    ratio  peak MiB`);
try {
  for (const { name, prepare, ours, nix: command, recorded } of measurements) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    await prepare?.();
    const mine = typeof ours === "string" ? less(measureShell(ours), nodeStart()) : await measure(ours);
    const theirs = nix !== undefined && command !== undefined ? measureShell(command) : undefined;
    const base = theirs?.cpu ?? recorded;
    const peak = process.resourceUsage().maxRSS / 1024;
    console.log(
      `${name.padEnd(56)}${pad(mine.cpu)}${pad(mine.wall)}${pad(theirs?.cpu)}${pad(theirs?.wall)}` +
        `${base === undefined ? pad(undefined) : pad(mine.cpu / base)}${peak.toFixed(0).padStart(10)}`,
    );
  }
} finally {
  await tools.remove();
  await deleteTree(nodeFs, work);
}
