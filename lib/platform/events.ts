import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";

/**
 * Everything that the engine reports while it works. The engine never prints:
 * printers in `cli/` turn these into lines, a live display or JSON lines.
 */
export type EngineEvent =
  /** The build plan is known. Counts are of derivations. */
  | { readonly type: "plan"; readonly builds: number; readonly fetches: number; readonly downloadBytes: number }
  /** `pool` tells derivations that only fetch from those that build. */
  | {
      readonly type: "build-started";
      readonly derivation: string;
      readonly name: string;
      readonly pool: "build" | "fetch";
    }
  | { readonly type: "build-log"; readonly derivation: string; readonly name: string; readonly line: string }
  /** The builder announced that a phase of the build begins. */
  | { readonly type: "build-phase"; readonly derivation: string; readonly name: string; readonly phase: string }
  | {
      readonly type: "build-finished";
      readonly derivation: string;
      readonly name: string;
      readonly pool: "build" | "fetch";
      readonly outcome: "built" | "cut-off" | "failed";
      readonly milliseconds: number;
    }
  | { readonly type: "fetch-started"; readonly name: string; readonly bytes: number | undefined }
  /** `bytes` is what has arrived so far, resumed parts included. */
  | { readonly type: "fetch-progress"; readonly name: string; readonly bytes: number }
  | { readonly type: "fetch-finished"; readonly name: string; readonly bytes: number; readonly url: string }
  /** A mirror or an attempt failed; another one is tried. */
  | { readonly type: "fetch-retry"; readonly name: string; readonly url: string; readonly reason: string }
  /** An environment of the lock file was resolved anew. */
  | { readonly type: "lock-resolved"; readonly environment: string; readonly packages: number; readonly reason: string }
  /** One assertion of a boot test. */
  | {
      readonly type: "check-result";
      readonly check: string;
      readonly assertion: string;
      readonly passed: boolean;
      readonly detail: string;
    }
  | { readonly type: "note"; readonly message: string }
  | { readonly type: "warning"; readonly message: string };

/** Where events go. */
export class Events extends Context.Service<Events, { readonly emit: (event: EngineEvent) => void }>()(
  "helios/Events",
) {
  /** Forgets every event. */
  static readonly silent: Layer.Layer<Events> = Layer.succeed(Events, { emit: () => {} });

  /** Hands every event to `emit`. */
  static readonly to = (emit: (event: EngineEvent) => void): Layer.Layer<Events> => Layer.succeed(Events, { emit });
}

/** Reports one event from an Effect. */
export const emit = (event: EngineEvent): Effect.Effect<void, never, Events> =>
  Effect.map(Events, (events) => events.emit(event));
