import * as Effect from "effect/Effect";
import { Store } from "#lib/store/store.ts";
import { printJson, printLine } from "../../print.ts";
import { withStore } from "../../stores.ts";

/** Lists the links that keep paths alive. */
export const roots = ({ json }: { readonly json: boolean }) =>
  withStore(
    { progress: "quiet" },
    Effect.gen(function* () {
      const store = yield* Store;
      const found = yield* store.roots;
      if (json) return yield* printJson(found);
      for (const { link, target } of found) yield* printLine(`${link} -> ${target}`);
    }),
  );
