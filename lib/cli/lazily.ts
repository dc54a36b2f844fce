import * as Effect from "effect/Effect";

/**
 * Runs what a module offers, and loads it only then. Commands are declared without their engine, so that help,
 * completion and `show` do not load what builds.
 */
export const lazily = <Module, A, E, R>(
  load: () => Promise<Module>,
  run: (module: Module) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R> => Effect.flatMap(Effect.promise(load), run);
