import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { nameProblem } from "#lib/derivations/store-path.ts";
import { buildFlake } from "#lib/flake/build.ts";
import { type CheckReport, runBootCheck } from "#lib/flake/run-check.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { allErrors } from "#lib/evaluator/index.ts";
import { selectConfiguration } from "#lib/flake/configuration.ts";
import { parseInstallable, UnknownAttribute } from "#lib/flake/installable.ts";
import { suggest } from "#lib/flake/similar-names.ts";
import type { BootTiming } from "#lib/machine/boot-timing.ts";
import { withEngine } from "../engine.ts";
import * as flags from "../flags.ts";
import { count, formatDuration } from "../printers/format.ts";
import { printJson, printLine } from "../print.ts";
import { substitutionOptions } from "./substitution.ts";

/** What to check. */
interface CheckInput extends flags.BuildFlags, flags.SubstitutionFlags, flags.WatchFlags {
  readonly names: readonly string[];
  readonly json: boolean;
}

/** Evaluates every option of every system, then builds the images and boots them. */
export const check = (flake: LocatedFlake, input: CheckInput) =>
  withEngine(
    flake,
    input,
    Effect.gen(function* () {
      const options = { ...flags.buildOptions(input), substitution: yield* substitutionOptions(input) };
      const { value, result } = yield* buildFlake(flake, { ...input, warnAbout: "all" }, options, (outputs) => {
        requireSoundness(outputs.systems);
        return selectChecks(outputs, input.names);
      });
      const reports: CheckReport[] = [];
      for (const [name, check] of value.checks) reports.push(yield* runBootCheck(name, check, result));
      if (input.json) return yield* printJson(reports);
      for (const report of reports) {
        yield* printLine(
          `${report.name}: ${count(report.results.length, "assertion")} passed in ${formatDuration(report.seconds * 1000)}`,
        );
        for (const { description } of report.results) yield* printLine(`  ok ${description}`);
        for (const { serialLog, timing } of report.boots) {
          if (timing !== undefined) yield* printLine(`  ${describeTiming(timing)}`);
          yield* printLine(`  serial log: ${serialLog}`);
        }
      }
    }),
  );

const describeTiming = ({ target, kernelSeconds, machineSeconds }: BootTiming): string =>
  `${target} after ${kernelSeconds.toFixed(1)} s of the kernel, ${machineSeconds.toFixed(1)} s of QEMU`;

/** Computes every option of every system, also those that nothing reads, and throws all that is wrong with them. */
function requireSoundness(systems: FlakeOutputs["systems"]): void {
  const errors = Object.values(systems).flatMap((system) => allErrors(system));
  if (errors.length > 0) throw new AggregateError(errors);
}

/** The checks named, by the flake or by configuration files; without names, all of the flake. */
function selectChecks(outputs: FlakeOutputs, wanted: readonly string[]) {
  const known = Object.keys(outputs.checks);
  const files = new Map<Derivation, string>();
  const named = (wanted.length > 0 ? wanted : known).map((name) =>
    Result.flatMap(selectFile(outputs, name), ({ file, configuration }) => {
      if (configuration !== undefined) {
        requireSoundness({ [name]: configuration.system });
        for (const built of configuration.check.derivations) if (file !== undefined) files.set(built, file);
        return Result.succeed([configuration.name, configuration.check] as const);
      }
      const check = known.includes(name) ? outputs.checks[name] : undefined;
      return check === undefined ? Result.fail(unknownCheck(name, known)) : Result.succeed([name, check] as const);
    }),
  );
  for (const name of known) {
    const problem = nameProblem(name);
    if (problem !== undefined)
      throw new TypeError(`the check '${name}' ${problem}, and its logs have that name. Rename it.`);
  }
  return Result.map(Result.all(named), (checks) => ({
    checks,
    derivations: checks.flatMap(([, check]) => check.derivations),
    files,
  }));
}

function selectFile(outputs: FlakeOutputs, name: string) {
  const installable = parseInstallable(name);
  if ("_tag" in installable) return Result.succeed({ file: undefined, configuration: undefined });
  const { file } = installable;
  return Result.map(selectConfiguration(outputs, installable), (configuration) => ({ file, configuration }));
}

function unknownCheck(name: string, known: readonly string[]): UnknownAttribute {
  return new UnknownAttribute({
    text: `check ${name}`,
    found: ["checks"],
    missing: name,
    suggestions: suggest(name, known),
    known,
  });
}
