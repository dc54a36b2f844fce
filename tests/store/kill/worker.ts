/**
 * Works on a store without end, for the test that kills it:
 *
 *     node --import=tsx worker.ts <store> <directory for links> <name>
 *
 * Prints `kept <path>` once a path is valid and has a root.
 */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { sha256 } from "#lib/derivations/hash.ts";
import { makeStorePath, type StorePath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Store } from "#lib/store/store.ts";

const [root = "", links = "", name = ""] = process.argv.slice(2);
const say = (line: string): void => void nodeFs.writeSync(1, `${line}\n`);

/** Some files, directories and links, one of which mentions `input`. */
function plant(output: string, round: number, input: StorePath): void {
  nodeFs.mkdirSync(join(output, "a/b"), { recursive: true });
  for (let file = 0; file < 60; file++) nodeFs.writeFileSync(join(output, `a/b/${file}`), `${name} ${round} ${file}`);
  nodeFs.writeFileSync(join(output, "large"), Buffer.alloc(300_000, round));
  nodeFs.symlinkSync(`${input}/x`, join(output, "link"));
}

const oneRound = (round: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* Store;
      const text = yield* store.addText(`text-${round % 7}`, `${round % 7}`, []);
      const directory = yield* store.temporaryDirectory;
      const output = join(directory, "out");
      plant(output, round, text);
      const key = `sha256:${sha256(`${name}${round}`).hex}!out` as const;
      const info = yield* store.withLock(
        makeStorePath("lock", "0".repeat(64), `build-${round % 3}`),
        store.registerOutput({ name: "tree", directory: output, candidates: [text] }),
      );
      yield* store.addRealisation({ key, path: info.path });
      if (round % 3 === 0) {
        yield* store.addRoot(join(links, `${name}-${round}`), info.path);
        say(`kept ${info.path}`);
      }
      if (round % 5 === 4) yield* store.collectGarbage();
    }),
  );

const work = Effect.gen(function* () {
  say("ready");
  for (let round = 0; ; round++) yield* oneRound(round);
});

await Effect.runPromise(Effect.provide(work, Store.layer({ root }).pipe(Layer.provide(FileSystem.layer))));
