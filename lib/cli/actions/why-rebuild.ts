import * as Effect from "effect/Effect";
import { formatRebuildReport, whyRebuild as explainRebuild } from "#lib/build/inspect/why-rebuild.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import type { WatchFlags } from "../flags.ts";
import { printJson, printLine } from "../print.ts";
import { withStore } from "../stores.ts";
import { derivationOf, originOf } from "./store-paths.ts";

/** What would be built. */
interface WhyRebuildInput extends WatchFlags {
  readonly installable: string;
  readonly json: boolean;
}

/** Tells why something would be built. */
export const whyRebuild = (flake: LocatedFlake, input: WhyRebuildInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      const root = yield* derivationOf(flake, input, input.installable);
      const report = yield* explainRebuild(root, originOf(flake, input.installable));
      if (input.json) return yield* printJson(report);
      for (const line of formatRebuildReport(report)) yield* printLine(line);
    }),
  );
