import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";

/** Files and processes of this machine. */
export const host = Layer.mergeAll(FileSystem.layer, Processes.layer);

/** Runs a command that only evaluates, and shows no progress. */
export const withEvaluator = <A, E>(
  command: Effect.Effect<A, E, FileSystem | Processes | Events>,
): Effect.Effect<A, E> => command.pipe(Effect.provide(Layer.mergeAll(host, Events.silent)));
