import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { BuiltinFailure, type BuiltinBuilder, Builtins } from "#lib/build/builtin.ts";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { type EngineEvent, Events } from "#lib/platform/events.ts";
import { FileSystem, type FileSystemShape } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { Store } from "#lib/store/store.ts";
import { derivation, type Derivation, type DerivationAttributes } from "#lib/derivations/derivation.ts";
import { memory } from "../memory.ts";

type Services = Store | FileSystem | Processes | Events | Builtins | Bubblewrap;

/** One program around a store: what it emitted, and which fake builders ran. */
export interface Harness {
  readonly events: EngineEvent[];
  /** Names of derivations, in the order in which their builtin builders started. */
  readonly ran: string[];
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>, signal?: AbortSignal) => Promise<A>;
}

export interface HarnessOptions {
  /** The host's file system or, by default, one in memory. */
  readonly fs?: FileSystemShape;
  readonly root?: string;
  /** Called by `builtin:test` before it writes its output. */
  readonly during?: (name: string) => Effect.Effect<void, BuiltinFailure>;
}

export function makeHarness({ fs, root = "/store-root", during = () => Effect.void }: HarnessOptions = {}): Harness {
  const events: EngineEvent[] = [];
  const ran: string[] = [];
  const fileSystem = fs ?? memory();
  const services = Layer.mergeAll(
    Store.layer({ root }),
    Processes.layer,
    Events.to((event) => events.push(event)),
    Builtins.layer([testBuilder(fileSystem, ran, during)]),
    Bubblewrap.layer,
  ).pipe(Layer.provideMerge(Layer.succeed(FileSystem, fileSystem)));
  return {
    events,
    ran,
    run: (effect, signal) =>
      Effect.runPromise(
        Effect.provide(effect, services) as Effect.Effect<never>,
        signal === undefined ? {} : { signal },
      ),
  };
}

/**
 * `builtin:test` writes the variable `content` and then the content of each of `inputs` to every output.
 * With `upper`, only in capitals: so that a change may vanish. With `fails` it fails. With `tick` it adds what is in
 * that file, wherever that is: which no builder should do.
 */
const testBuilder = (
  fs: FileSystemShape,
  ran: string[],
  during: (name: string) => Effect.Effect<void, BuiltinFailure>,
): BuiltinBuilder => ({
  name: "builtin:test",
  build: ({ derivation, env, outputs, physical, log }) =>
    Effect.gen(function* () {
      ran.push(derivation.name);
      log(`making ${derivation.name}`);
      yield* during(derivation.name);
      if (env["fails"] === "1") return yield* new BuiltinFailure({ kind: "build", reason: "it was told to fail" });
      yield* Effect.promise(async () => {
        const inputs = (env["inputs"] ?? "").split(" ").filter((input) => input !== "");
        const contents = await Promise.all(inputs.map((input) => fs.promises.readFile(physical(input), "utf8")));
        const tick = env["tick"] === undefined ? "" : await fs.promises.readFile(env["tick"], "utf8");
        const text = [`${env["content"] ?? ""}${tick}`, ...contents].join("\n");
        const content = env["upper"] === "1" ? text.toUpperCase() : text;
        for (const output of Object.values(outputs)) await fs.promises.writeFile(output, content);
      });
    }),
});

/** A derivation for `builtin:test`. */
export const testDerivation = (
  name: string,
  inputs: readonly Derivation[],
  env: NonNullable<DerivationAttributes["env"]> = {},
  rest: Partial<DerivationAttributes> = {},
): Derivation => derivation({ name, builder: "builtin:test", env: { inputs, ...env }, ...rest });
