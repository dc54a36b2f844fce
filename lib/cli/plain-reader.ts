import { parseArgs } from "node:util";
import { type Command, type CommandGroup, type Parameter, readAssignment, type ValueForm } from "./command.ts";

/** A command, and what it is to be run with. */
export interface Invocation {
  readonly command: Command;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * Reads a command line in which there is nothing to explain; undefined for any other: one that asks for help, has a
 * mistake, or may be read in more than one way. This is what nearly every start of the program needs, and it takes a
 * third of a second less than loading effect/cli, which reads the others.
 */
export function readPlainly(
  commands: readonly (Command | CommandGroup)[],
  [first, ...rest]: readonly string[],
): Invocation | undefined {
  const found = commands.find(({ name }) => name === first);
  if (found === undefined) return undefined;
  if (!("commands" in found)) return readInput(found, rest);
  const [second, ...others] = rest;
  const command = found.commands.find(({ name }) => name === second);
  return command === undefined ? undefined : readInput(command, others);
}

/** `-o=FILE`, whose value Node's parser takes to begin with the equals sign. */
const joinedShortFlag = /^-[^-]+=/;

/** Words that effect/cli takes for the value of a switch before them. */
const switchWords = /^(?:true|false|yes|no|on|off|y|n|0|1)$/i;

function readInput(command: Command, args: readonly string[]): Invocation | undefined {
  if (args.some((arg) => arg === "--" || joinedShortFlag.test(arg))) return undefined;
  const parameters = Object.entries(command.parameters);
  const parsed = parse(parameters, args);
  if (parsed === undefined) return undefined;

  const input: Record<string, unknown> = {};
  const words = [...parsed.positionals];
  for (const [key, parameter] of parameters) {
    const texts = parsed.values[parameter.name] ?? [];
    switch (parameter.kind) {
      case "argument": {
        const word = parameter.many ? words.splice(0) : words.shift();
        if (word === undefined) return undefined;
        input[key] = word;
        break;
      }
      case "assignments": {
        const assignments = texts.map((text) => readAssignment(String(text)));
        if (!assignments.every((assignment) => assignment !== undefined)) return undefined;
        input[key] = Object.fromEntries(assignments);
        break;
      }
      case "switch":
        if (texts.length > 1) return undefined;
        input[key] = texts.length === 1;
        break;
      case "value": {
        const [text] = texts;
        const value = typeof text === "string" ? readValue(parameter.form, text) : parameter.fallback;
        if (texts.length > 1 || (text !== undefined && value === undefined)) return undefined;
        input[key] = value;
      }
    }
  }
  return words.length > 0 ? undefined : { command, input };
}

/** Every flag as a list of its occurrences, since twice is a mistake for most. */
function parse(parameters: readonly (readonly [string, Parameter])[], args: readonly string[]) {
  const options = parameters.flatMap(([, parameter]) => {
    if (parameter.kind === "argument") return [];
    const short = "alias" in parameter ? { short: parameter.alias } : {};
    return [[parameter.name, { type: type(parameter), multiple: true, ...short }] as const];
  });
  try {
    const parsed = parseArgs({
      args: [...args],
      options: Object.fromEntries(options),
      allowPositionals: true,
      tokens: true,
    });
    const ambiguous = parsed.tokens.some((token, index) => {
      const before = parsed.tokens[index - 1];
      const afterSwitch = before?.kind === "option" && before.value === undefined;
      return token.kind === "positional" && afterSwitch && switchWords.test(token.value);
    });
    return ambiguous ? undefined : parsed;
  } catch {
    // effect/cli reads it again, and says what is wrong.
    return undefined;
  }
}

const type = ({ kind }: Parameter): "boolean" | "string" => (kind === "switch" ? "boolean" : "string");

/** The value that a text stands for; undefined where it is not plainly of this form. */
function readValue(form: ValueForm, text: string): unknown {
  switch (form.type) {
    case "text":
      return text;
    case "choice":
      return form.choices.includes(text) ? text : undefined;
    case "integer": {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
      return value !== undefined && value >= (form.least ?? 0) ? value : undefined;
    }
    case "other":
      return form.read(text);
    case "number":
      return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
  }
}
