import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Result from "effect/Result";
import { isDerivation } from "#lib/derivations/derivation.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { parseInstallable } from "#lib/flake/installable.ts";
import { selectAttribute } from "#lib/flake/select.ts";
import { host } from "../evaluation.ts";
import type { WatchFlags } from "../flags.ts";
import { printLine, printText } from "../print.ts";
import { progressEvents } from "../progress.ts";
import { withStorePaths } from "./with-store-paths.ts";

/** What to print, and how. */
interface EvalInput extends WatchFlags {
  readonly installable: string;
  readonly json: boolean;
  readonly raw: boolean;
}

/** Prints a value of the outputs. The store is asked only for the paths of derivations. */
export const evaluate = (flake: LocatedFlake, input: EvalInput) =>
  Effect.gen(function* () {
    const installable = parseInstallable(input.installable);
    if ("_tag" in installable) return yield* Effect.fail(installable);
    const services = Layer.mergeAll(host, yield* progressEvents(input));
    const { value } = yield* evaluateFlake(flake, input, (outputs) =>
      Result.map(selectAttribute(outputs, installable), ({ value }) => printable(value)),
    ).pipe(Effect.provide(services));
    const text =
      input.raw && typeof value === "string" ? value : JSON.stringify(value, undefined, input.json ? undefined : 2);
    const shown = yield* withStorePaths(text);
    yield* input.raw ? printText(shown) : printLine(shown);
  }).pipe(Effect.scoped);

/**
 * A value as JSON can hold it: derivations by their path, functions, systems and options by their kind, nothing twice
 * on one path. Inside, systems and options lead to each other, and to every module, by so many ways that printing them
 * would not come to an end.
 */
function printable(value: unknown, parents: readonly object[] = []): unknown {
  if (isDerivation(value)) return String(value);
  if (typeof value === "function") return "<function>";
  if (typeof value === "bigint") return Number(value);
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  // Its reference says where it is on the machine; even that is nobody's business here.
  if ("_type" in value && value._type === "secret") return "<secret>";
  if ("_type" in value && value._type === "configuration") return "<system>";
  if ("_type" in value && value._type === "option") return `<option ${String(value)}>`;
  if (parents.includes(value)) return "<repeated>";
  const inner = [...parents, value];
  if (Array.isArray(value)) return value.map((item: unknown) => printable(item, inner));
  if ("_tag" in value && "toString" in value && Object.hasOwn(Object.getPrototypeOf(value) as object, "toString"))
    return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, printable(item, inner)]));
}
