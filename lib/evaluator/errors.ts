/** Everything that can be wrong with a set of modules, as one closed union. */
import { onCycle } from "./cells.ts";
import { type Location, pathOf, showComponent, showLocation, showOption } from "./location.ts";
import { ModuleSource } from "./module-source.ts";
import type { PlacedDataProblem } from "./data-problem.ts";
import { showValue } from "./show-value.ts";

/** Which part of a module something is written in. */
export type WrittenPart = "config" | "options";

/** Finds the line of an option in a module; installed by `places.ts`, which reads sources. */
let locator: (source: ModuleSource, part: WrittenPart, location: Location | undefined) => string | undefined = () =>
  undefined;

/** Installs how places are found. */
export function onLocate(locate: typeof locator): void {
  locator = locate;
}

function placeLabel(source: ModuleSource, part: WrittenPart, location: Location | undefined): string {
  return locator(source, part, location) ?? source.label;
}

/** A file as messages name it. */
function fileLabel(file: string): string {
  return placeLabel(new ModuleSource(file, file), "config", undefined);
}

/** A definition as messages show it. */
export interface BlamedDefinition {
  readonly source: ModuleSource;
  /** Absent when the value could not be computed. */
  readonly value?: unknown;
}

/** An assertion that does not hold. */
export interface FailedAssertion {
  readonly message: string;
  /** The module that asserts it, and the option of the message. */
  readonly source: ModuleSource | undefined;
  readonly location: Location | undefined;
}

/** What went wrong, with the data needed to print it. */
export type Failure =
  | {
      readonly reason: "unknown-option";
      readonly location: Location;
      readonly definitions: readonly BlamedDefinition[];
      readonly suggestions: readonly string[];
    }
  | {
      readonly reason: "unknown-read";
      readonly location: Location;
      readonly reader: Location | undefined;
      readonly suggestions: readonly string[];
    }
  | {
      readonly reason: "wrong-type";
      readonly location: Location;
      readonly type: string;
      readonly why: string | undefined;
      readonly definitions: readonly BlamedDefinition[];
    }
  | {
      readonly reason: "conflict";
      readonly location: Location;
      readonly problem: string;
      readonly definitions: readonly BlamedDefinition[];
    }
  | { readonly reason: "undefined-option"; readonly location: Location; readonly declarations: readonly ModuleSource[] }
  | { readonly reason: "read-only"; readonly location: Location; readonly definitions: readonly BlamedDefinition[] }
  | { readonly reason: "cycle"; readonly cells: readonly Location[] }
  | {
      readonly reason: "bad-module";
      readonly problem: string;
      readonly source: ModuleSource | undefined;
      readonly remedy?: string;
    }
  | {
      readonly reason: "bad-import";
      readonly problem: string;
      readonly source: ModuleSource | undefined;
      readonly remedy?: string;
    }
  | {
      readonly reason: "bad-declaration";
      readonly location: Location | undefined;
      readonly problem: string;
      readonly declarations: readonly ModuleSource[];
      readonly remedy?: string;
    }
  | {
      readonly reason: "bad-property";
      readonly location: Location | undefined;
      readonly problem: string;
      readonly definitions: readonly BlamedDefinition[];
    }
  | {
      readonly reason: "structure-depends-on-config";
      readonly source: ModuleSource | undefined;
      readonly argument: string;
    }
  | {
      readonly reason: "missing-argument";
      readonly argument: string;
      readonly reader: Location | undefined;
      readonly suggestions: readonly string[];
    }
  | {
      readonly reason: "thunk-threw";
      readonly location: Location | undefined;
      readonly source: ModuleSource | undefined;
      readonly cause: unknown;
    }
  | { readonly reason: "frozen"; readonly location: Location | undefined }
  | {
      readonly reason: "bad-data";
      readonly file: string;
      readonly problems: readonly PlacedDataProblem[];
    }
  | { readonly reason: "assertions"; readonly assertions: readonly FailedAssertion[] };

/** Every reason an evaluation fails for. */
export type FailureReason = Failure["reason"];

/** A failed evaluation. `failure` is data; `message` is made from it. */
export class EvaluationError extends Error {
  readonly _tag = "EvaluationError";
  declare readonly failure: Failure;

  constructor(failure: Failure) {
    super(undefined, failure.reason === "thunk-threw" ? { cause: failure.cause } : undefined);
    this.name = "EvaluationError";
    // Not enumerable: it leads to the whole evaluation, which no printer should walk.
    Object.defineProperty(this, "failure", { value: failure });
    // Frames first: formatting them asks for the message, which may itself ask for formatted call sites.
    const frames = (this.stack ?? "").split("\n").slice(1).join("\n");
    Object.defineProperty(this, "message", { get: () => describeFailure(failure), configurable: true });
    Object.defineProperty(this, "stack", { get: () => `${this.name}: ${this.message}\n${frames}`, configurable: true });
  }

  /** The reason, for `switch`. */
  get reason(): FailureReason {
    return this.failure.reason;
  }

  /** An exception of user code as an error that names the option it was computed for. */
  static from(error: unknown, location: Location | undefined, blamed?: { readonly source: ModuleSource }): unknown {
    if (error instanceof EvaluationError) return error;
    return new EvaluationError({ reason: "thunk-threw", location, source: blamed?.source, cause: error });
  }
}

/** How many mistakes of one file are told; what has more is another kind of file. */
const mostProblems = 100;

/** The message of a failure: what, where, and a remedy where there is one. */
export function describeFailure(failure: Failure): string {
  switch (failure.reason) {
    case "unknown-option":
      return lines(
        `There is no option ${quote(failure.location)}, but it is defined:`,
        ...failure.definitions.map((each) => showDefinition(each, failure.location)),
        failure.definitions.some((each) => isDeclaration(each.value))
          ? "This is the declaration of an option: it belongs under `options`, not under `config`."
          : suggestion(failure.suggestions),
      );
    case "unknown-read":
      return lines(
        `There is no option ${quote(failure.location)} to read.`,
        failure.reader === undefined ? undefined : `- read by ${showCell(failure.reader)}`,
        suggestion(failure.suggestions),
      );
    case "wrong-type":
      return lines(
        `The value of ${quote(failure.location)} is not of type ${failure.type}${failure.why === undefined ? "" : `: ${failure.why}`}.`,
        ...failure.definitions.map((each) => showDefinition(each, failure.location)),
      );
    case "conflict":
      return lines(
        `${quote(failure.location)} ${failure.problem}:`,
        ...failure.definitions.map((each) => showDefinition(each, failure.location)),
        "Give one of them another priority with mkForce or mkDefault, or remove all but one.",
      );
    case "undefined-option":
      return lines(
        `${quote(failure.location)} is read, but nothing defines it and it has no default.`,
        ...failure.declarations.map((source) => `- declared in ${placeLabel(source, "options", failure.location)}`),
      );
    case "read-only":
      return lines(
        `${quote(failure.location)} is read-only but set more than once:`,
        ...failure.definitions.map((each) => showDefinition(each, failure.location)),
      );
    case "cycle":
      return describeCycle(failure.cells);
    case "bad-module":
    case "bad-import":
      return lines(
        failure.source === undefined
          ? failure.problem
          : `${placeLabel(failure.source, "config", undefined)}: ${failure.problem}`,
        failure.remedy,
      );
    case "bad-declaration":
      return lines(
        failure.location === undefined
          ? failure.problem
          : `The declaration of ${quote(failure.location)}: ${failure.problem}`,
        ...failure.declarations.map((source) => `- declared in ${placeLabel(source, "options", failure.location)}`),
        failure.remedy,
      );
    case "bad-property":
      return lines(
        `${failure.location === undefined ? "A module" : quote(failure.location)}: ${failure.problem}.`,
        ...failure.definitions.map((each) => showDefinition(each, failure.location)),
      );
    case "structure-depends-on-config":
      return lines(
        `${failure.source === undefined ? "A module" : placeLabel(failure.source, "config", undefined)} reads ${failure.argument} while its own shape is still being found.`,
        "Imports, options and the keys of config must be known before any value is. Put the dependency into a thunk or into the condition of mkIf.",
      );
    case "missing-argument":
      return lines(
        `No module argument is called ${failure.argument}.`,
        failure.reader === undefined ? undefined : `- read by ${showCell(failure.reader)}`,
        suggestion(failure.suggestions),
        "Pass it in specialArgs or define it in config._module.args.",
      );
    case "thunk-threw":
      return lines(
        `Computing ${failure.location === undefined ? "a value" : quote(failure.location)} failed: ${causeMessage(failure.cause)}`,
        failure.source === undefined
          ? undefined
          : `- defined in ${placeLabel(failure.source, "config", failure.location)}`,
      );
    case "frozen":
      return `${failure.location === undefined ? "The configuration" : quote(failure.location)} cannot be changed after evaluation; define the option in a module instead.`;
    case "bad-data":
      return lines(
        `${fileLabel(failure.file)} is not valid:`,
        ...failure.problems.slice(0, mostProblems).map((each) => {
          const file = fileLabel(each.file ?? failure.file);
          const place = each.line === undefined ? file : `${file}:${each.line}:${each.column ?? 1}`;
          const name = each.path.length === 0 ? "" : `\`${showOption(each.path)}\`: `;
          return lines(
            `- ${place}: ${name}${each.problem}.`,
            each.suggestions.length === 0 ? undefined : `  ${suggestion(each.suggestions)}`,
          );
        }),
        failure.problems.length > mostProblems ? `- and ${failure.problems.length - mostProblems} more.` : undefined,
      );
    case "assertions":
      return lines("Failed assertions:", ...failure.assertions.map(showAssertion));
    default:
      return unreachable(failure);
  }
}

function isDeclaration(value: unknown): boolean {
  return typeof value === "object" && value !== null && Reflect.get(value, "_type") === "option";
}

function describeCycle(cells: readonly Location[]): string {
  const shown =
    cells.length <= 20
      ? cells.map(showCell)
      : [...cells.slice(0, 10).map(showCell), `… ${cells.length - 20} more …`, ...cells.slice(-10).map(showCell)];
  return lines(
    cells.length === 1
      ? `\`${showLocation(cells[0])}\` depends on itself.`
      : `\`${showLocation(cells[0])}\` depends on itself through ${cells.length} steps:`,
    ...(cells.length === 1 ? [] : [...shown.map((each) => `- ${each}`), `- ${showCell(cells[0])} again`]),
  );
}

function showCell(location: Location | undefined): string {
  const name = `\`${showLocation(location)}\``;
  const place = location === undefined ? undefined : cellPlace(location);
  return place === undefined ? name : `${name} (${place})`;
}

/** Where a cell that is an option is defined. */
function cellPlace(cell: Location): string | undefined {
  const definitions: unknown = Reflect.get(cell, "definitions");
  const first: unknown = Array.isArray(definitions) ? definitions[0] : undefined;
  if (typeof first !== "object" || first === null || !("source" in first)) return undefined;
  return locator(first.source as ModuleSource, "config", cell);
}

function causeMessage(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

function quote(location: Location): string {
  return `\`${showLocation(location)}\``;
}

/** "- in FILE: VALUE", multi-line values indented below. */
function showDefinition(definition: BlamedDefinition, location: Location | undefined): string {
  const label = placeLabel(definition.source, "config", location);
  if (!("value" in definition)) return `- in ${label}`;
  const text = showValue(definition.value);
  return text.includes("\n")
    ? `- in ${label}:\n${text
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n")}`
    : `- in ${label}: ${text}`;
}

function showAssertion({ message, source, location }: FailedAssertion): string {
  return lines(
    `- ${message.replaceAll("\n", "\n  ")}`,
    source === undefined ? undefined : `  (asserted in ${placeLabel(source, "config", location)})`,
  );
}

function suggestion(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const quoted = names.map((name) => `\`${name}\``);
  const last = quoted.pop();
  return `Did you mean ${quoted.length === 0 ? "" : `${quoted.join(", ")} or `}${last}?`;
}

function lines(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join("\n");
}

function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${String(value)}`);
}

/** A suggestion's full path. */
export function siblingPath(up: Location | undefined, name: string): string {
  return [...pathOf(up).map(showComponent), showComponent(name)].join(".");
}

onCycle((cells) => new EvaluationError({ reason: "cycle", cells }));
