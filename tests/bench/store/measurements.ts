import * as Effect from "effect/Effect";
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { plantBigFile, plantPaths, plantSmallFiles, streamZeros, withStore } from "./trees.ts";

/** Something that is measured, of ours and, where there is one, of real Nix. */
export interface Measurement {
  readonly name: string;
  /** What has to be there, or gone, before each round; not measured. */
  readonly prepare?: () => Promise<void> | void;
  /**
   * Work of a fresh process: loads what it needs and returns what is measured. Or the arguments of `builds.ts`, measured
   * as a whole less what Node takes to start.
   */
  readonly ours: (() => Promise<() => unknown>) | readonly string[];
  /** Runs the sources by tsx, whose start is not counted either, instead of the bundle. */
  readonly tsx?: boolean;
  /** A shell command that does the same with real Nix; measured as a whole. */
  readonly nix?: string;
  /** CPU seconds of Nix 2.34.8 on a comparable machine, for those without it. */
  readonly recorded?: number;
  /** Rounds, where fewer than usual have to do. */
  readonly rounds?: number;
}

/** All measurements, with their files in `work`. `tools` is a tool root, which only builds need. */
export function measurementsIn(work: string, tools: string): readonly Measurement[] {
  const at = (name: string): string => join(work, name);
  const here = (name: string): string => join(import.meta.dirname, name);
  let forgotten = 0;
  /**
   * Puts stores aside, to be deleted in the end: for some seconds ext4 gives away no inode that was just deleted, and looks
   * past all of them for each new file, so whoever writes next to ten thousand deleted files takes ten times as long.
   */
  const forget =
    (...names: readonly string[]) =>
    (): void => {
      for (const name of names) {
        if (nodeFs.existsSync(at(name))) nodeFs.renameSync(at(name), at(`forgotten-${++forgotten}`));
      }
    };
  const needSmallFiles = (): void => void (nodeFs.existsSync(at("small")) || plantSmallFiles(at("small")));
  const needBigFile = (): void => void (nodeFs.existsSync(at("big")) || plantBigFile(at("big")));

  const hash = (path: string) => async () => {
    const { hashTree } = await import("#lib/store/hash-tree.ts");
    return () => hashTree(nodeFs, path);
  };
  const add = async () => {
    const { source } = await import("#lib/derivations/source.ts");
    return () => withStore(at("store"), (store) => store.addSource(source({ path: at("small") })));
  };
  const addByNix = `nix --extra-experimental-features nix-command --store ${at("nix")} store add-path ${at("small")}`;
  const builds = [at("builds"), tools, "100"];
  const buildsByNix =
    `NIX_CONFIG='build-users-group =' nix-build --store ${at("nix-builds")} ${here("builds.nix")} --arg count 100 ` +
    `--arg tools ${tools} -j2 ` +
    `--no-out-link --option sandbox true --option sandbox-paths '/bin /usr /lib /lib64' --option substitute false`;
  return [
    {
      name: "NAR hash of 10,000 small files",
      prepare: needSmallFiles,
      ours: hash(at("small")),
      nix: `nix-hash --type sha256 ${at("small")}`,
      recorded: 0.18,
    },
    {
      name: "the floor of that: Node's system calls and SHA-256",
      prepare: needSmallFiles,
      ours: async () => {
        const { readAndHash } = await import("./floor.ts");
        return () => readAndHash(at("small"));
      },
      nix: `nix-hash --type sha256 ${at("small")}`,
      recorded: 0.18,
    },
    {
      name: "NAR hash of them in a process that has done it before",
      prepare: needSmallFiles,
      ours: async () => {
        const again = await hash(at("small"))();
        for (let before = 0; before < 3; before++) await again();
        return again;
      },
      nix: `nix-hash --type sha256 ${at("small")}`,
      recorded: 0.18,
    },
    {
      name: "NAR hash of one file of 256 MiB",
      prepare: needBigFile,
      ours: hash(at("big")),
      nix: `nix-hash --type sha256 ${at("big")}`,
      recorded: 0.22,
    },
    {
      name: "addition of 10,000 files",
      prepare: () => {
        needSmallFiles();
        forget("store", "nix")();
      },
      ours: add,
      nix: addByNix,
      recorded: 0.65,
    },
    {
      name: "addition of 10,000 files that are there",
      prepare: needSmallFiles,
      ours: add,
      nix: addByNix,
      recorded: 0.26,
    },
    {
      name: "instantiation of a chain of 10,000 derivations",
      ours: async () => {
        const { derivation } = await import("#lib/derivations/derivation.ts");
        const { instantiate } = await import("#lib/derivations/instantiate.ts");
        return () => {
          let last = derivation({ name: "n0", builder: "/bin/sh", args: ["-c", "echo > $out"] });
          for (let index = 1; index < 10_000; index++) {
            last = derivation({ name: `n${index}`, builder: "/bin/sh", args: ["-c", `cat ${last} > $out`] });
          }
          instantiate([last], new Map());
        };
      },
      nix: `nix-instantiate --readonly-mode ${here("chain.nix")} --arg length 10000`,
      recorded: 0.31,
    },
    {
      name: "1,000 texts written to the store",
      prepare: forget("texts"),
      ours: async () => () =>
        withStore(at("texts"), (store) =>
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
      prepare: () => plantPaths(at("garbage"), 100_000),
      ours: async () => () => withStore(at("garbage"), (store) => store.collectGarbage()),
      rounds: 1,
    },
    {
      name: "101 trivial sandboxed builds, -j2, beside Node's start",
      prepare: forget("builds", "nix-builds"),
      ours: builds,
      nix: buildsByNix,
      recorded: 3.6,
    },
    { name: "the same again: nothing to do, beside Node's start", ours: builds, nix: buildsByNix, recorded: 0.028 },
    { name: "nothing to do, by tsx, beside its start", ours: builds, tsx: true, nix: buildsByNix, recorded: 0.028 },
    {
      name: "4 GiB streamed through writer, hash and reader",
      ours: async () => () => streamZeros(at("sparse"), 4 * 2 ** 30),
      rounds: 1,
    },
  ];
}
