import * as NodeServices from "@effect/platform-node/NodeServices";
import * as Argument from "effect/cli/Argument";
import type { CliError } from "effect/cli/CliError";
import * as CliOutput from "effect/cli/CliOutput";
import * as CliCommand from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import * as Effect from "effect/Effect";
import * as Option from "effect/Option";
import { type Command, type CommandGroup, type Parameter, readAssignment, type ValueFlag } from "./command.ts";
import type { Invocation } from "./plain-reader.ts";

/** What the program calls itself in its help. */
export interface Program {
  readonly version: string;
  readonly description: string;
  readonly commands: readonly (Command | CommandGroup)[];
}

/**
 * Reads any command line by effect/cli: prints help, completions, and what is wrong with what suggestions, and runs
 * the command if there is one to run.
 */
export function readExplaining<E>(
  { version, description, commands }: Program,
  args: readonly string[],
  run: (invocation: Invocation) => Effect.Effect<void, E>,
): Effect.Effect<void, E | CliError> {
  const leaf = (command: Command) =>
    CliCommand.make(command.name, parametersOf(command), (input) => run({ command, input })).pipe(
      CliCommand.withDescription(command.description),
      CliCommand.withExamples([...command.examples]),
    );
  const root = CliCommand.make("helios").pipe(
    CliCommand.withDescription(description),
    CliCommand.withSubcommands(
      commands.map((command) =>
        "commands" in command
          ? CliCommand.make(command.name).pipe(
              CliCommand.withDescription(command.description),
              CliCommand.withSubcommands(command.commands.map(leaf)),
            )
          : leaf(command),
      ),
    ),
  );
  return CliCommand.runWith(root, { version })(args).pipe(
    Effect.provide(CliOutput.layerPresenter(presenter)),
    Effect.provide(NodeServices.layer),
  );
}

/** Prints help where it was asked for; of a mistake, only what it is, since a page of help would push it off the screen. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.sync(() => {
          const errors = event.errors.map(({ message }) => `error: ${message}\n`).join("");
          const words = ["npx tsx flake.ts", ...event.commandPath.slice(1), "--help"].join(" ");
          process.stderr.write(`${errors}See '${words}'.\n`);
        })
      : CliOutput.defaultPresenter.present(event),
};

const parametersOf = ({ parameters }: Command) =>
  Object.fromEntries(Object.entries(parameters).map(([key, parameter]) => [key, parameterOf(parameter)]));

function parameterOf(parameter: Parameter): Flag.Flag<unknown> | Argument.Argument<unknown> {
  const { name, description } = parameter;
  switch (parameter.kind) {
    case "argument": {
      const one = Argument.String(name).pipe(Argument.withDescription(description));
      return parameter.many ? Argument.variadic(one) : one;
    }
    case "switch":
      return named(Flag.Boolean(name), parameter).pipe(Flag.withDefault(false));
    case "assignments":
      return named(Flag.String(name), { ...parameter, metavar: "NAME=VALUE" }).pipe(
        Flag.filterMap(
          (text) => Option.fromUndefinedOr(readAssignment(text)),
          () => "NAME=VALUE",
        ),
        Flag.atLeast(0),
        Flag.map((assignments) => Object.fromEntries(assignments)),
      );
    case "value": {
      const flag = named(valueOf(parameter), parameter);
      return parameter.fallback === undefined
        ? flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))
        : flag.pipe(Flag.withDefault(parameter.fallback));
    }
  }
}

function valueOf({ name, form }: ValueFlag): Flag.Flag<unknown> {
  switch (form.type) {
    case "text":
      return Flag.String(name);
    case "choice":
      return Flag.Literals(name, form.choices);
    case "number":
      return Flag.Finite(name);
    case "other":
      return Flag.String(name).pipe(
        Flag.filterMap(
          (text) => Option.fromUndefinedOr(form.read(text)),
          () => form.expected,
        ),
      );
    case "integer": {
      const { least } = form;
      if (least === undefined) return Flag.Int(name);
      return Flag.Int(name).pipe(
        Flag.filter(
          (value) => value >= least,
          () => `at least ${least}`,
        ),
      );
    }
  }
}

function named<A>(
  flag: Flag.Flag<A>,
  { description, alias, metavar }: { readonly description: string; readonly alias?: string; readonly metavar?: string },
): Flag.Flag<A> {
  let result = flag.pipe(Flag.withDescription(description));
  if (alias !== undefined) result = result.pipe(Flag.withAlias(alias));
  return metavar === undefined ? result : result.pipe(Flag.withMetavar(metavar));
}
