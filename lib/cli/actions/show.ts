import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { withEvaluator } from "../evaluation.ts";
import { printJson, printLine } from "../print.ts";

/** Lists the outputs. Reads their names only, so nothing is evaluated, resolved or built. */
export const show = (flake: LocatedFlake, { json }: { readonly json: boolean }) =>
  withEvaluator(
    Effect.gen(function* () {
      const { value } = yield* evaluateFlake(flake, { locked: true }, (outputs) =>
        Result.succeed({
          description: flake.description,
          packages: Object.keys(outputs.packages),
          systems: Object.keys(outputs.systems),
          checks: Object.keys(outputs.checks),
        }),
      );
      if (json) return yield* printJson(value);
      yield* printLine(value.description);
      for (const kind of ["packages", "systems", "checks"] as const) {
        yield* printLine(`${kind}:`);
        for (const name of value[kind]) yield* printLine(`  .#${kind === "packages" ? "" : `${kind}.`}${name}`);
      }
    }),
  );
