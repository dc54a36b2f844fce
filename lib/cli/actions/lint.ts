import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Result from "effect/Result";
import { lintSystem } from "#lib/evaluator/index.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { selectAttribute } from "#lib/flake/select.ts";
import { LintsFound } from "../errors.ts";
import { host } from "../evaluation.ts";
import type { WatchFlags } from "../flags.ts";
import { printJson, printLine } from "../print.ts";
import { progressEvents } from "../progress.ts";
import { systemOf } from "./system-of.ts";

/** What is looked at, and how findings are told. */
interface LintInput extends WatchFlags {
  readonly system: string | undefined;
  readonly strict: boolean;
  readonly json: boolean;
}

/** Prints what a system's modules may not mean; the places are those of the definitions or declarations. */
export const lint = (flake: LocatedFlake, input: LintInput) =>
  Effect.gen(function* () {
    const services = Layer.mergeAll(host, yield* progressEvents(input));
    const { value: lints } = yield* evaluateFlake(flake, input, (outputs) =>
      Result.map(
        Result.flatMap(systemOf(outputs, input.system, "lint"), (system) =>
          selectAttribute(outputs, { text: "lint", ...system }),
        ),
        ({ value }) => lintSystem(value as object),
      ),
    ).pipe(Effect.provide(services));
    if (input.json) yield* printJson(lints);
    else {
      for (const { option, message, rule, places } of lints) {
        yield* printLine(`${option}: ${message} [${rule}]`);
        for (const place of places) yield* printLine(`  ${place}`);
      }
    }
    if (input.strict && lints.length > 0) return yield* new LintsFound({ count: lints.length });
  }).pipe(Effect.scoped);
