import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import {
  findOption,
  type MissingOption,
  type NamedOption,
  type OptionFields,
  type OptionPath,
  showComponent,
  showOption,
  showPlace,
  toPlain,
} from "#lib/evaluator/index.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { parseInstallable } from "#lib/flake/installable.ts";
import { selectAttribute } from "#lib/flake/select.ts";
import { suggest } from "#lib/flake/similar-names.ts";
import { UnknownOption } from "../errors.ts";
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
  /** Absent for an element of an option. */
  readonly default?: string;
  /** Absent where the name is about all elements. */
  readonly value?: string;
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
        Result.flatMap(
          Result.flatMap(systemOf(outputs, input.system, input.option), (system) =>
            selectAttribute(outputs, { text: input.option, ...system, path: [...system.path, "options"] }),
          ),
          ({ value: options }): Result.Result<ExplainedOption | readonly string[], UnknownOption> => {
            const found = findOption(options as object, parsed.path);
            switch (found.kind) {
              case "missing":
                return Result.fail(unknownOption(found));
              case "group":
                return Result.succeed(found.keys);
              case "option":
                return Result.succeed(explain(found));
            }
          },
        ),
      );
      if (input.json) return yield* printJson(value);
      for (const line of "name" in value ? describe(value) : value) yield* printLine(line);
    }),
  );

function unknownOption({ found, key, what, known, placeholder }: MissingOption): UnknownOption {
  const shown = known.map(showComponent);
  // A name with dots that lacks its quotes is cut at the first of them.
  const cut = known.filter((each) => each.startsWith(`${key}.`)).map(showComponent);
  const suggestions = cut.length > 0 ? cut.slice(0, 3) : suggest(key, known).map(showComponent);
  const all = placeholder === undefined ? undefined : showName([...found, placeholder]);
  return new UnknownOption({
    found: showName(found),
    missing: showName([key]),
    what,
    known: shown,
    suggestions,
    all,
  });
}

/** A name as users write it, the numbers of elements of lists without quotes. */
function showName(path: OptionPath): string {
  return path.map((key) => (/^\d+$/.test(key) ? key : showComponent(key))).join(".");
}

function explain({ path, types, option, isElement, state }: NamedOption): ExplainedOption {
  const description = text(option?.fields.description);
  return {
    name: showName(path),
    description: isElement && option !== undefined ? `Part of ${showName(option.path)}: ${description}` : description,
    type: types.length === 0 ? "anything" : types.map((type) => type.description).join(" or "),
    ...(isElement || option === undefined ? {} : { default: defaultOf(option.fields) }),
    ...(state === undefined ? {} : { value: state.isDefined ? show(state.value) : "not set" }),
    declarations: (option?.declarations ?? []).map(({ source, place }) =>
      place === undefined ? source.label : showPlace(place),
    ),
    definitions: (state?.provenance ?? []).map(({ status, place, source, priority, value }) => ({
      status,
      place: place === undefined ? source.label : showPlace(place),
      priority,
      value: typeof value === "function" ? "a function of config" : show(value),
    })),
    reads: (state?.reads ?? []).map(showOption),
  };
}

function defaultOf({ default: value, defaultText }: OptionFields): string {
  return defaultText === undefined ? show(value) : text(defaultText);
}

function describe(option: ExplainedOption): string[] {
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
  return [
    option.name,
    `  ${option.description}`,
    "",
    `type: ${option.type}`,
    ...(option.default === undefined ? [] : [`default: ${option.default}`]),
    ...(option.value === undefined ? [] : [`value: ${option.value}`]),
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
