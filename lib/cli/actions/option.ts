import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { type EvaluatedOption, showPlace, toPlain } from "#lib/evaluator/index.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { parseInstallable } from "#lib/flake/installable.ts";
import { selectAttribute } from "#lib/flake/select.ts";
import { withEvaluator } from "../evaluation.ts";
import { printJson, printLine } from "../print.ts";
import { systemOf } from "./system-of.ts";

/** What is asked, and how the answer is printed. */
interface OptionInput {
  readonly option: string;
  readonly system: string | undefined;
  readonly json: boolean;
  readonly set: Readonly<Record<string, string>>;
  readonly legacy: boolean;
}

/** One definition of an option, as it is printed. */
interface ExplainedDefinition {
  readonly status: string;
  readonly place: string;
  readonly priority: number;
  readonly value: string;
}

/** An option, as it is printed. */
interface ExplainedOption {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly default: string;
  readonly value: string;
  readonly declarations: readonly string[];
  readonly definitions: readonly ExplainedDefinition[];
  readonly reads: readonly string[];
}

/** Explains an option of a system, or lists the options of a group. */
export const explainOption = (flake: LocatedFlake, input: OptionInput) =>
  withEvaluator(
    Effect.gen(function* () {
      const parsed = parseInstallable(input.option);
      if ("_tag" in parsed) return yield* Effect.fail(parsed);
      const { value } = yield* evaluateFlake(flake, { locked: true, set: input.set, legacy: input.legacy }, (outputs) =>
        Result.map(
          Result.flatMap(systemOf(outputs, input.system, input.option), (system) =>
            selectAttribute(outputs, {
              text: input.option,
              ...system,
              path: [...system.path, "options", ...parsed.path],
            }),
          ),
          ({ value }) => (isOption(value) ? explain(value) : Object.keys(value as object).sort()),
        ),
      );
      if (input.json) return yield* printJson(value);
      for (const line of Array.isArray(value) ? (value as string[]) : describe(value as ExplainedOption))
        yield* printLine(line);
    }),
  );

function isOption(value: unknown): value is EvaluatedOption {
  return typeof value === "object" && value !== null && "_type" in value && value._type === "option";
}

function explain(option: EvaluatedOption): ExplainedOption {
  const { defaultText, description } = option.fields;
  return {
    name: String(option),
    description: text(description),
    type: option.type.description,
    default: defaultText === undefined ? show(option.default) : text(defaultText),
    value: option.isDefined ? show(option.value) : "not set",
    declarations: option.declarations.map((source) =>
      source.place === undefined ? source.label : showPlace(source.place),
    ),
    definitions: option.provenance.map(({ status, place, source, priority, value }) => ({
      status,
      place: place === undefined ? source.label : showPlace(place),
      priority,
      value: typeof value === "function" ? "a function of config" : show(value),
    })),
    reads: option.reads.map((path) => path.join(".")),
  };
}

function describe(option: ExplainedOption): string[] {
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
  return [
    option.name,
    `  ${option.description}`,
    "",
    `type: ${option.type}`,
    `default: ${option.default}`,
    `value: ${option.value}`,
    ...list("declared in:", option.declarations),
    ...list(
      "definitions:",
      option.definitions.map(
        ({ status, place, priority, value }) => `${status.padEnd(8)} ${place}, priority ${priority}: ${value}`,
      ),
    ),
    ...list("computed from:", option.reads),
  ];
}

function text(documentation: string | { readonly text: string } | undefined): string {
  if (documentation === undefined) return "";
  return typeof documentation === "string" ? documentation : documentation.text;
}

/** A value in one line: JSON where there is one. */
function show(value: unknown): string {
  if (typeof value === "function") return "a function of config";
  const json: string | undefined = JSON.stringify(toPlain(value));
  return json ?? "none";
}
