import { checkAssertions, type Config, type Module } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";

/** Packages of a lock that has none: what they are made into is never built. */
export const pkgs = makePackages({ lock: viewLock(emptyLock) });

/** The configuration of some modules, and of nothing else but the option modules. */
export const evaluate = (...modules: Module[]): Config => evalSystem({ pkgs, modules }).config;

/** The configuration of helios-cm5 with some more modules. */
export const evaluateHelios = (...modules: Module[]): Config => evaluate(heliosCm5, ...modules);

/** What is said of a configuration whose assertions fail; empty if none does. */
export function failureOf(config: () => Config): string {
  try {
    checkAssertions(config());
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** The same of some modules. */
export const messageOf = (...modules: Module[]): string => failureOf(() => evaluate(...modules));
