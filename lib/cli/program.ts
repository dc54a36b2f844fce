import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Result from "effect/Result";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { type CommandError, type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import type { Program } from "./explaining-reader.ts";
import { lazily } from "./lazily.ts";
import type { Invocation } from "./plain-reader.ts";

/** A command line that the plain reader leaves alone. */
export const explaining = (
  program: Program,
  args: readonly string[],
  flake: LocatedFlake,
): Effect.Effect<void, CommandError> => {
  const start = ({ command, input }: Invocation) =>
    lazily(
      () => command.run(flake, input),
      (left) => left ?? Effect.void,
    );
  return lazily(
    () => import("./explaining-reader.ts"),
    ({ readExplaining }) => readExplaining(program, args, start),
  );
};

/**
 * Runs a command to its end. The type of the program sees to it that every way to fail has its exit code.
 *
 * @param started is given what interrupts it
 */
export async function runProgram(
  program: Effect.Effect<void, CommandError>,
  started: (interrupt: () => void) => void,
): Promise<ExitCode> {
  const fiber = Effect.runFork(program);
  started(() => fiber.interruptUnsafe());
  const exit = await new Promise<Exit.Exit<void, unknown>>((resolve) => fiber.addObserver(resolve));
  return Exit.isSuccess(exit) ? exitCodes.success : report(exit.cause);
}

/** Tells on stderr why the command failed; the command line's own errors have been told by its parser. */
function report(cause: Cause.Cause<unknown>): ExitCode {
  if (Cause.hasInterruptsOnly(cause)) {
    process.stderr.write("interrupted\n");
    return exitCodes.interrupted;
  }
  const error = Result.getOrUndefined(Cause.findError(cause));
  const code = exitCodeOf(error);
  if (code === undefined) {
    process.stderr.write(`This is a defect of this program; please report it:\n${Cause.pretty(cause)}\n`);
    return exitCodes.bug;
  }
  if (error instanceof Error && !told(error)) process.stderr.write(`error: ${error.message}\n`);
  return code;
}

function told(error: Error): boolean {
  return "_tag" in error && parserErrors.has(String(error._tag));
}

/** Failures that `effect/cli` prints by itself, with the help of the command. */
const parserErrors: ReadonlySet<string> = new Set([
  "UnrecognizedOption",
  "DuplicateOption",
  "MissingOption",
  "MissingArgument",
  "UnexpectedArgument",
  "InvalidValue",
  "UnknownSubcommand",
  "ValidationError",
  "UserError",
  "ShowHelp",
]);
