import * as Effect from "effect/Effect";
import * as Command from "effect/cli/Command";
import * as Flag from "effect/cli/Flag";
import * as Result from "effect/Result";
import { resolve } from "node:path";
import type { Derivation } from "#lib/derivations/derivation.ts";
import { buildFlake } from "#lib/flake/build.ts";
import type { FlakeOutputs, LocatedFlake } from "#lib/flake/flake.ts";
import { type Installable, InvalidInstallable, parseInstallable, type UnsuitableOutput } from "#lib/flake/installable.ts";
import { selectDerivation } from "#lib/flake/select.ts";
import { Store } from "#lib/store/store.ts";
import * as flags from "../flags.ts";
import { withEngine } from "../engine.ts";
import { printJson, printLine } from "../print.ts";

/** `build`: realises installables and links `./result` to them. */
export const buildCommand = (flake: LocatedFlake) =>
  Command.make(
    "build",
    {
      installables: flags.installables,
      outLink: Flag.String("out-link").pipe(
        Flag.withAlias("o"),
        Flag.withDescription("Where to link the result; several results get -1, -2 … at the end"),
        Flag.withDefault("result"),
      ),
      noLink: Flag.Boolean("no-link").pipe(Flag.withDescription("Make no link to the result"), Flag.withDefault(false)),
      ...flags.building,
      json: flags.json,
      locked: flags.locked,
      progress: flags.progress,
    },
    (input) =>
      withEngine(
        flake,
        input,
        Effect.gen(function* () {
          const store = yield* Store;
          const parsed = yield* Effect.forEach(input.installables, (text) => {
            const installable = parseInstallable(text);
            return installable instanceof InvalidInstallable ? Effect.fail(installable) : Effect.succeed(installable);
          });
          const { value, result } = yield* buildFlake(flake, input, flags.buildOptions(input), (outputs) =>
            Result.map(selectAll(outputs, parsed), (derivations) => ({ derivations })),
          );
          const built = value.derivations.map((derivation) => ({
            name: derivation.name,
            outputs: Object.fromEntries(result.outputs.get(derivation) ?? []),
          }));
          if (!input.noLink) {
            for (const [index, { outputs }] of built.entries()) {
              for (const [output, path] of Object.entries(outputs)) {
                const suffix = `${index === 0 ? "" : `-${index}`}${output === "out" ? "" : `-${output}`}`;
                yield* store.addRoot(resolve(`${input.outLink}${suffix}`), path);
              }
            }
          }
          if (input.json) {
            yield* printJson(
              built.map(({ name, outputs }) => ({
                name,
                outputs: Object.fromEntries(
                  Object.entries(outputs).map(([output, path]) => [output, { path, file: store.physical(path) }]),
                ),
              })),
            );
          } else {
            for (const { outputs } of built) {
              for (const path of Object.values(outputs)) yield* printLine(store.physical(path));
            }
          }
        }),
      ),
  ).pipe(
    Command.withDescription("Build what is missing and link ./result to it"),
    Command.withExamples([
      { command: "tsx flake.ts build .#helios-cm5", description: "Build the SD card image" },
      { command: "tsx flake.ts build .#systems.helios-cm5.config.system.build.initrd", description: "Build a part of it" },
    ]),
  );

function selectAll(outputs: FlakeOutputs, installables: readonly Installable[]) {
  const names = installables.length > 0 ? installables : defaultInstallables(outputs);
  return Result.all(names.map((installable) => selectDerivation(outputs, installable))) as Result.Result<
    Derivation[],
    Result.Result.Failure<ReturnType<typeof selectDerivation>> | UnsuitableOutput
  >;
}

/** Without an argument, the first package. */
function defaultInstallables(outputs: FlakeOutputs): readonly Installable[] {
  const [first] = Object.keys(outputs.packages);
  return first === undefined ? [] : [{ text: `.#${first}`, path: ["packages", first] }];
}

