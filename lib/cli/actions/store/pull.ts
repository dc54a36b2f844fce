import * as Effect from "effect/Effect";
import { realisedOutputsOf } from "#lib/build/inspect/outputs.ts";
import { substitute } from "#lib/build/substitute.ts";
import type { Derivation } from "#lib/derivations/derivation.ts";
import type { StorePath } from "#lib/derivations/store-path.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { openCache } from "#lib/store/cache/cache-files.ts";
import { NotInCache } from "#lib/store/cache/errors.ts";
import { pullPaths } from "#lib/store/cache/pull.ts";
import { UnsuitableFlags } from "../../errors.ts";
import type { SubstitutionFlags, WatchFlags } from "../../flags.ts";
import { count } from "../../printers/format.ts";
import { printJson, printLine } from "../../print.ts";
import { withStore } from "../../stores.ts";
import { derivationOf, isPath, storePathAt } from "../store-paths.ts";
import { trustedKeys } from "../substitution.ts";

/** What to take from where. */
interface PullInput extends WatchFlags, Pick<SubstitutionFlags, "trustedPublicKeys"> {
  readonly url: string;
  readonly installables: readonly string[];
  readonly json: boolean;
}

/** Takes what installables and paths are, and all that they need, out of a cache. */
export const pull = (flake: LocatedFlake, input: PullInput) =>
  withStore(
    input,
    Effect.gen(function* () {
      if (input.installables.length === 0)
        return yield* new UnsuitableFlags({ problem: "Say what to pull: an installable or a path." });
      const trusted = yield* trustedKeys(input);
      const paths: StorePath[] = [];
      const derivations: { readonly text: string; readonly derivation: Derivation }[] = [];
      for (const text of input.installables) {
        if (isPath(text)) paths.push(yield* storePathAt(text));
        else derivations.push({ text, derivation: yield* derivationOf(flake, input, text) });
      }
      const cache = yield* openCache(input.url);
      const pulled = new Set(yield* pullPaths(cache, paths, { trusted }));
      for (const { text, derivation } of derivations) {
        for (const path of yield* substitute([derivation], { caches: [input.url], trusted })) pulled.add(path);
        const outputs = yield* realisedOutputsOf(derivation);
        if (outputs.size < derivation.outputs.length) return yield* new NotInCache({ cache: cache.name, path: text });
      }
      const taken = [...pulled].sort();
      if (input.json) return yield* printJson({ pulled: taken });
      for (const path of taken) yield* printLine(path);
      yield* printLine(`${count(taken.length, "path")} pulled`);
    }),
  );
