import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as nodeFs from "node:fs";
import { join } from "node:path";
import { sha256 } from "#lib/derivations/hash.ts";
import { contentAddress, type StorePath, textPath } from "#lib/derivations/store-path.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { hashTree } from "#lib/store/hash-tree.ts";
import { infoFile } from "#lib/store/layout.ts";
import { NarReader } from "#lib/store/nar-reader.ts";
import { printPathInfo } from "#lib/store/path-info.ts";
import { Store, type StoreShape } from "#lib/store/store.ts";

/** Opens a store and runs something in it. */
export const withStore = <A, E>(root: string, use: (store: StoreShape) => Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(
    Effect.flatMap(Store, use).pipe(Effect.provide(Store.layer({ root }).pipe(Layer.provide(FileSystem.layer)))),
  );

/** Ten thousand files of some hundred bytes in a hundred directories. */
export function plantSmallFiles(root: string): void {
  for (let directory = 0; directory < 100; directory++) {
    const path = join(root, `d${directory}`);
    nodeFs.mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file++) {
      nodeFs.writeFileSync(join(path, `f${file}`), `${directory} ${file}\n`.repeat(file));
    }
  }
}

/** One file of 256 MiB. */
export function plantBigFile(path: string): void {
  const block = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => (index * 2654435761) >>> 24));
  for (let index = 0; index < 256; index++) nodeFs.appendFileSync(path, block);
}

/** A store with so many texts, every second of which needs the one before; written as the store writes, but faster. */
export async function plantPaths(root: string, count: number): Promise<void> {
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

/** Streams so many zeros through the NAR's writer, its hash and its reader. */
export async function streamZeros(file: string, size: number): Promise<void> {
  let written = 0;
  const reader = new NarReader({
    enter: () => {},
    leave: () => {},
    file: () => {},
    data: (chunk) => void (written += chunk.length),
    endFile: () => {},
    symlink: () => {},
  });
  nodeFs.writeFileSync(file, "");
  nodeFs.truncateSync(file, size);
  await hashTree(nodeFs, file, {}, (chunk) => reader.push(chunk));
  reader.end();
  if (written !== size) throw new Error(`streamed ${written} of ${size} bytes`);
}
