import * as Effect from "effect/Effect";
import { formatSri } from "#lib/derivations/hash.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { InvalidPathError } from "#lib/store/errors.ts";
import type { PathInfo } from "#lib/store/path-info.ts";
import { closureSize } from "#lib/store/queries.ts";
import { Store } from "#lib/store/store.ts";
import { UnsuitableFlags } from "../errors.ts";
import type { WatchFlags } from "../flags.ts";
import { formatBytes } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";
import { withStore } from "../stores.ts";
import { storePathsOf } from "./store-paths.ts";

/** Which paths, and what of them. */
interface PathInfoInput extends WatchFlags {
  readonly installables: readonly string[];
  readonly size: boolean;
  readonly closureSize: boolean;
  readonly recursive: boolean;
  readonly json: boolean;
}

/** Shows what the store knows of paths. */
export const pathInfo = (flake: LocatedFlake, input: PathInfoInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      if (input.installables.length === 0)
        return yield* new UnsuitableFlags({ problem: "Say what to look at: an installable or a path." });
      const store = yield* Store;
      const named = (yield* Effect.forEach(input.installables, (text) => storePathsOf(flake, input, text))).flat();
      const paths = input.recursive ? yield* store.closure(named) : named;
      const details = yield* Effect.forEach(paths, detailsOf);
      if (input.json) return yield* printJson(details.map((path) => ({ ...path, narHash: formatSri(path.narHash) })));
      for (const path of details) yield* printLine(describePath(path, input));
    }),
  );

interface PathDetails extends PathInfo {
  /** Where it lies on this machine. */
  readonly physical: string;
  /** Bytes of it and of all that it refers to, directly or not. */
  readonly closureSize: number;
}

const detailsOf = Effect.fnUntraced(function* (path: StorePath) {
  const store = yield* Store;
  const info = (yield* store.pathInfo(path)) ?? (yield* Effect.fail(new InvalidPathError({ path })));
  const details: PathDetails = {
    ...info,
    physical: store.physical(path),
    closureSize: (yield* closureSize(path)).closure,
  };
  return details;
});

function describePath({ path, narSize, closureSize }: PathDetails, input: PathInfoInput): string {
  const sizes = [...(input.size ? [narSize] : []), ...(input.closureSize ? [closureSize] : [])];
  return [path, ...sizes.map((size) => formatBytes(size).padStart(9))].join("  ");
}
