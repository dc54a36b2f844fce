import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Result from "effect/Result";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Flake, locateFlake } from "#lib/flake/flake.ts";
import { commands } from "./commands/index.ts";
import { type CommandError, type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { lazily } from "./lazily.ts";
import { type Invocation, readPlainly } from "./plain-reader.ts";

const version = "0.1.0";

/**
 * Runs the command line of a flake, if its module is the program: `flake.ts`
 * ends with `await main(flake, import.meta.url)`, and may still be imported.
 */
export async function main(flake: Flake, moduleUrl: string): Promise<void> {
  const program = process.argv[1];
  if (program === undefined || realpathSync(program) !== realpathSync(fileURLToPath(moduleUrl))) return;
  // Whoever reads the output has read enough, as in `log … | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.success);
    throw error;
  });
  process.exitCode = await run(flake, moduleUrl, process.argv.slice(2));
}

/** Runs one command to its end; the exit code tells how it went. */
async function run(flake: Flake, moduleUrl: string, args: readonly string[]): Promise<ExitCode> {
  const located = locateFlake(flake, moduleUrl);
  const start = ({ command, input }: Invocation) => command.run(located, input);
  const plain = readPlainly(commands, args);
  // The type of the program sees to it that every way to fail has its exit code.
  const program: Effect.Effect<void, CommandError> =
    plain !== undefined
      ? start(plain)
      : lazily(
          () => import("./explaining-reader.ts"),
          ({ readExplaining }) => readExplaining({ version, description: flake.description, commands }, args, start),
        );
  const fiber = Effect.runFork(program);
  let interrupted = false;
  const interrupt = (): void => {
    // Who asks twice does not want to wait for anything to be tidied up; the next run does it.
    if (interrupted) process.exit(exitCodes.interrupted);
    interrupted = true;
    fiber.interruptUnsafe();
  };
  // Not `once`: ink's own listener kills this process at once if it finds no other.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt).on("SIGHUP", interrupt);
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
