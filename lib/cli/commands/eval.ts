import * as Command from "effect/cli/Command";
import * as Effect from "effect/Effect";
import * as Flag from "effect/cli/Flag";
import * as Result from "effect/Result";
import { dryRun } from "#lib/build/build.ts";
import { type Derivation, isDerivation } from "#lib/derivations/derivation.ts";
import { tokenTargets } from "#lib/derivations/token.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { InvalidInstallable, parseInstallable } from "#lib/flake/installable.ts";
import { selectAttribute } from "#lib/flake/select.ts";
import { withEngine } from "../engine.ts";
import * as flags from "../flags.ts";
import { printLine } from "../print.ts";

/** `eval`: prints a value of the outputs. */
export const evalCommand = (flake: LocatedFlake) =>
  Command.make(
    "eval",
    {
      installable: flags.installable,
      json: flags.json,
      raw: Flag.Boolean("raw").pipe(
        Flag.withDescription("Print a string as it is, without quotes and without a line end"),
        Flag.withDefault(false),
      ),
      locked: flags.locked,
      progress: flags.progress,
    },
    (input) =>
      withEngine(
        flake,
        input,
        Effect.gen(function* () {
          const installable = parseInstallable(input.installable);
          if (installable instanceof InvalidInstallable) return yield* installable;
          const { value } = yield* evaluateFlake(flake, input, (outputs) =>
            Result.map(selectAttribute(outputs, installable), ({ value }) => printable(value)),
          );
          const text = input.raw && typeof value === "string" ? value : JSON.stringify(value, undefined, input.json ? undefined : 2);
          const derivations = mentioned(text);
          const shown = derivations.length === 0 ? text : (yield* dryRun(derivations)).instantiation.substitute(text);
          if (input.raw) yield* Effect.sync(() => process.stdout.write(shown));
          else yield* printLine(shown);
        }),
      ),
  ).pipe(
    Command.withDescription("Print a value"),
    Command.withExamples([
      { command: "tsx flake.ts eval .#systems.helios-cm5.config.networking", description: "Print a part of the configuration" },
    ]),
  );

/** A value as JSON can hold it: derivations by their path, functions by their kind, nothing twice on one path. */
function printable(value: unknown, parents: readonly object[] = []): unknown {
  if (isDerivation(value)) return String(value);
  if (typeof value === "function") return "<function>";
  if (typeof value === "bigint") return Number(value);
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (parents.includes(value)) return "<repeated>";
  const inner = [...parents, value];
  if (Array.isArray(value)) return value.map((item: unknown) => printable(item, inner));
  if ("_tag" in value && "toString" in value && Object.hasOwn(Object.getPrototypeOf(value) as object, "toString")) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, printable(item, inner)]));
}

/** The derivations whose outputs a text mentions. */
function mentioned(text: string): readonly Derivation[] {
  const derivations = new Set<Derivation>();
  for (const target of tokenTargets(text)) if ("derivation" in target) derivations.add(target.derivation);
  return [...derivations];
}
