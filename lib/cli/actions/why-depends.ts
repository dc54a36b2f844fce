import * as Effect from "effect/Effect";
import { explainDependency } from "#lib/build/inspect/why-depends.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import type { WatchFlags } from "../flags.ts";
import { printJson, printLine } from "../print.ts";
import { withStore } from "../stores.ts";
import { storePathOf } from "./store-paths.ts";

/** From where to where. */
interface WhyDependsInput extends WatchFlags {
  readonly installable: string;
  readonly dependency: string;
  readonly json: boolean;
}

/** Shows how one path refers to another. That it does not is an answer, not a failure. */
export const whyDepends = (flake: LocatedFlake, input: WhyDependsInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      const [from, to] = [
        yield* storePathOf(flake, input, input.installable),
        yield* storePathOf(flake, input, input.dependency),
      ];
      const chain = yield* explainDependency(from, to);
      if (input.json) return yield* printJson(chain ?? null);
      if (chain === undefined) return yield* printLine(`${from} does not depend on ${to}`);
      for (const [depth, { path, files }] of chain.entries()) {
        yield* printLine(`${"  ".repeat(depth)}${path}`);
        for (const file of files)
          yield* printLine(`${"  ".repeat(depth)}  in ${file === "" ? "the path itself" : file}:`);
      }
    }),
  );
