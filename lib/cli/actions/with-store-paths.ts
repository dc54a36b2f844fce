import * as Effect from "effect/Effect";
import { type TokenTarget, tokenTargets } from "#lib/derivations/token.ts";
import type { Instantiable } from "#lib/derivations/instantiate.ts";
import { lazily } from "../lazily.ts";

/** A text in which derivations, sources and texts stand as store paths, see `withPaths`. Only that asks the store. */
export const withStorePaths = (text: string) => {
  const things = new Set(tokenTargets(text).map(thingOf));
  return things.size === 0
    ? Effect.succeed(text)
    : lazily(
        () => import("./store-paths.ts"),
        ({ withPaths }) => withPaths(text, [...things]),
      );
};

const thingOf = (target: TokenTarget): Instantiable => ("derivation" in target ? target.derivation : target);
