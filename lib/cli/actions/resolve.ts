import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import * as Result from "effect/Result";
import {
  assertionsError,
  type DefinedValues,
  definedJson,
  definedToml,
  type EvaluationError,
} from "#lib/evaluator/index.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import { EvaluationFailed } from "#lib/flake/outputs.ts";
import type { LocatedFlake } from "#lib/flake/flake.ts";
import { type Installable, parseInstallable, UnsuitableOutput } from "#lib/flake/installable.ts";
import { selectSystem, type SelectedSystem } from "#lib/flake/select-system.ts";
import { systemConfig } from "#lib/flake/system-config.ts";
import { host } from "../evaluation.ts";
import type { WatchFlags } from "../flags.ts";
import { printText } from "../print.ts";
import { progressEvents } from "../progress.ts";
import { withStorePaths } from "./with-store-paths.ts";

/** Of what, and how. */
interface ResolveInput extends WatchFlags {
  readonly system: string;
  readonly format: "toml" | "json";
  readonly json: boolean;
}

/** Prints a system's configuration. Also when its assertions fail: then one wants to look at it all the more. */
export const resolve = (flake: LocatedFlake, input: ResolveInput) =>
  Effect.gen(function* () {
    const installable = parseInstallable(input.system);
    if ("_tag" in installable) return yield* Effect.fail(installable);
    const services = Layer.mergeAll(host, yield* progressEvents(input));
    const { value } = yield* evaluateFlake(flake, { ...input, warnAbout: [installable] }, (outputs) =>
      Result.flatMap(selectSystem(outputs, installable), (selected) => read(installable, selected)),
    ).pipe(Effect.provide(services));
    const print = input.json || input.format === "json" ? definedJson : definedToml;
    yield* printText(yield* withStorePaths(print(value.resolved)));
    if (value.failed !== undefined) return yield* new EvaluationFailed({ cause: value.failed });
  }).pipe(Effect.scoped);

/** Everything is computed here, where what fails is an error of the configuration. */
function read(
  installable: Installable,
  { system }: SelectedSystem,
): Result.Result<
  {
    readonly resolved: DefinedValues;
    readonly failed: EvaluationError | undefined;
  },
  UnsuitableOutput
> {
  const { system: parts, assertions = [] } = systemConfig(system);
  if (parts?.resolved === undefined) {
    const { text, path } = installable;
    const actual = "a system whose modules do not say what they resolve to";
    return Result.fail(new UnsuitableOutput({ text, path, wanted: "one of the option modules", actual }));
  }
  return Result.succeed({
    resolved: parts.resolved,
    failed: assertionsError(assertions),
  });
}
