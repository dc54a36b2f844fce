/** Evaluates helios-cm5 down to the derivation of its image, cold, and prints the milliseconds that took. */
import { resolve } from "node:path";
import * as Effect from "effect/Effect";
import * as Result from "effect/Result";
import { host } from "#lib/cli/evaluation.ts";
import { evaluateFlake } from "#lib/flake/evaluate.ts";
import { Events } from "#lib/platform/events.ts";
import flake from "../../../flake.ts";

const located = { ...flake, directory: resolve(import.meta.dirname, "../../..") };
const started = performance.now();
const evaluation = evaluateFlake(located, { locked: true }, (outputs) =>
  Result.fromNullishOr(outputs.packages["helios-cm5"], () => new Error("the flake has no helios-cm5")),
);
await Effect.runPromise(evaluation.pipe(Effect.provide(host), Effect.provide(Events.silent)));
console.log((performance.now() - started).toFixed(1));
