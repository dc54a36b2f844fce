import type { Derivation } from "#lib/derivations/derivation.ts";
import type { DefinedValues } from "#lib/evaluator/index.ts";
import type { FlakeSystem } from "./flake.ts";
import type { SystemTask } from "./system-task.ts";

/**
 * What commands read of a system's configuration beyond printing it. A system
 * of other option modules may lack any part.
 */
export interface SystemConfig {
  readonly warnings?: readonly string[];
  readonly assertions?: readonly { readonly assertion: boolean; readonly message: string }[];
  readonly inputs?: {
    readonly options: Readonly<Record<string, unknown>>;
    /** What the command line gives, if it got there. */
    readonly set: Readonly<Record<string, string>>;
    /** What is wrong with the values that were given to them. */
    readonly problems: readonly string[];
  };
  readonly system?: {
    readonly build?: {
      /** What `build` links `./result` to. */
      readonly result: Derivation;
    };
    /** In an order in which they can be done. */
    readonly tasks?: readonly SystemTask[];
    /** What all modules say, merged. */
    readonly resolved?: DefinedValues;
  };
}

/** The configuration of a system, as far as commands read it. Its option modules vouch for the shape. */
export function systemConfig({ config }: FlakeSystem): SystemConfig {
  return config;
}
