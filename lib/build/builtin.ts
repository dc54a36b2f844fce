import * as Context from "effect/Context";
import * as Data from "effect/Data";
import type * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type { StoreDerivation } from "#lib/derivations/store-derivation.ts";

/** What a builtin builder is given. Everything it may read or write is named here. */
export interface BuiltinContext {
  /** The resolved derivation: no placeholders, every input a store path. */
  readonly derivation: StoreDerivation;
  /** The derivation's environment by name; `out` and the like hold scratch store paths. */
  readonly env: Readonly<Record<string, string>>;
  /** Where a store path (or a path below one) lies on this machine. */
  readonly physical: (path: string) => string;
  /** For each output the physical path that the builder must create: a file, a directory or a link. */
  readonly outputs: Readonly<Record<string, string>>;
  /** A private directory, on the file system of the outputs, gone after the build. */
  readonly scratch: string;
  /** Writes one line to the build log. */
  readonly log: (line: string) => void;
}

/** A builder that runs inside the engine instead of the sandbox: downloads, unpacking, merging of archives. */
export interface BuiltinBuilder {
  /** As derivations name it, for example "builtin:fetch-url". */
  readonly name: string;
  readonly build: (context: BuiltinContext) => Effect.Effect<void, BuiltinFailure>;
}

/** A builtin builder could not make its outputs. */
export class BuiltinFailure extends Data.TaggedError("BuiltinFailure")<{
  /** Whose fault it is, which decides the exit code: the network's, the disk's, or the recipe's and its inputs'. */
  readonly kind: "fetch" | "store" | "build";
  /** One sentence without a full stop. */
  readonly reason: string;
  /** One sentence that says what to do. */
  readonly remedy?: string;
  readonly cause?: unknown;
}> {
  override get message(): string {
    return this.remedy === undefined ? `${this.reason}.` : `${this.reason}. ${this.remedy}`;
  }
}

/** The builtin builders that this program knows, by name. */
export class Builtins extends Context.Service<Builtins, ReadonlyMap<string, BuiltinBuilder>>()("helios/Builtins") {
  /** Knows exactly the builders of `list`. */
  static readonly layer = (list: readonly BuiltinBuilder[]): Layer.Layer<Builtins> =>
    Layer.succeed(Builtins, new Map(list.map((builder) => [builder.name, builder])));
}

/** Tells builders of the engine from programs of the sandbox. */
export const isBuiltin = (builder: string): boolean => builder.startsWith("builtin:");
