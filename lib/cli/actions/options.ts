import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import {
  documentationHtml,
  documentationJson,
  documentationMarkdown,
  documentOptions,
  type EvaluatedModules,
  schemaDocument,
} from "#lib/evaluator/index.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { selectAttribute } from "#lib/flake/select.ts";
import type { referenceFormats } from "../commands/options.ts";
import { withEvaluator } from "../evaluation.ts";
import { printText } from "../print.ts";
import { systemOf } from "./system-of.ts";

/** What is asked, and how the answer is printed. */
interface OptionsInput {
  readonly format: (typeof referenceFormats)[number];
  readonly system: string | undefined;
  readonly set: Readonly<Record<string, string>>;
  readonly legacy: boolean;
}

/** Prints the reference of all options of a system. */
export const printOptions = (flake: LocatedFlake, input: OptionsInput) =>
  withEvaluator(
    Effect.gen(function* () {
      const { value } = yield* evaluateFlake(flake, { locked: true, set: input.set, legacy: input.legacy }, (outputs) =>
        Result.map(
          Result.flatMap(systemOf(outputs, input.system, "options"), (system) =>
            selectAttribute(outputs, { text: "options", ...system }),
          ),
          ({ value }) => reference(value as EvaluatedModules<object>, input.format),
        ),
      );
      yield* printText(value);
    }),
  );

function reference(system: EvaluatedModules<object>, format: OptionsInput["format"]): string {
  switch (format) {
    case "schema":
      return schemaDocument(system.schema, "Configuration");
    case "json":
      return documentationJson(documentOptions(system));
    case "html":
      return documentationHtml(documentOptions(system), "Options");
    case "markdown":
      return documentationMarkdown(documentOptions(system), "Options");
  }
}
