import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Flake, locateFlake } from "#lib/flake/flake.ts";
import { commands } from "./commands/index.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { readPlainly } from "./plain-reader.ts";

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
    process.stderr.write(`error: the output cannot be written: ${error.message}.\n`);
    process.exit(exitCodes.store);
  });
  process.exitCode = await run(flake, moduleUrl, process.argv.slice(2));
}

/**
 * Runs one command to its end; the exit code tells how it went. Effect's fibers are loaded when there is something to
 * run in them: a build that finds everything built ends before.
 */
async function run(flake: Flake, moduleUrl: string, args: readonly string[]): Promise<ExitCode> {
  const located = locateFlake(flake, moduleUrl);
  let stop: (() => void) | undefined;
  let interrupted = false;
  const interrupt = (): void => {
    // Who asks twice does not want to wait for anything to be tidied up; the next run does it.
    if (interrupted || stop === undefined) {
      if (!interrupted) process.stderr.write("interrupted\n");
      process.exit(exitCodes.interrupted);
    }
    interrupted = true;
    stop();
  };
  // Not `once`: ink's own listener kills this process at once if it finds no other.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt).on("SIGHUP", interrupt);

  const invocation = readPlainly(commands, args);
  const left = invocation && (await invocation.command.run(located, invocation.input).catch(dying));
  if (invocation !== undefined && left === undefined) return exitCodes.success;
  const { explaining, runProgram } = await import("./program.ts");
  const description = { version, description: flake.description, commands };
  return runProgram(left ?? explaining(description, args, located), (fiber) => (stop = fiber));
}

/** What is thrown before fibers are loaded is told as a defect in them is. */
const dying = async (cause: unknown) => (await import("effect/Effect")).die(cause);
