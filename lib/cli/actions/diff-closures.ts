import * as Effect from "effect/Effect";
import { type PackageChange, packageChanges } from "#lib/build/inspect/package-changes.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { diffClosures as compareClosures } from "#lib/store/queries.ts";
import type { WatchFlags } from "../flags.ts";
import { formatBytes } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";
import { withStore } from "../stores.ts";
import { storePathOf } from "./store-paths.ts";

/** What to compare. */
interface DiffClosuresInput extends WatchFlags {
  readonly before: string;
  readonly after: string;
  readonly json: boolean;
}

/** Shows which packages differ between what two paths need. */
export const diffClosures = (flake: LocatedFlake, input: DiffClosuresInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      const before = yield* storePathOf(flake, input, input.before);
      const changes = packageChanges(yield* compareClosures(before, yield* storePathOf(flake, input, input.after)));
      if (input.json) return yield* printJson(changes);
      for (const change of changes) yield* printLine(describeChange(change));
    }),
  );

function describeChange({ name, before, after, sizeChange }: PackageChange): string {
  const versions = (list: readonly string[]): string =>
    list.length === 0 ? "none" : list.map((version) => (version === "" ? "without version" : version)).join(", ");
  const [from, to] = [versions(before), versions(after)];
  const size = sizeChange === 0 ? "" : `, ${sizeChange > 0 ? "+" : "-"}${formatBytes(Math.abs(sizeChange))}`;
  return `${name}: ${from === to ? from : `${from} → ${to}`}${size}`;
}
