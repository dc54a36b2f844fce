import { evalModules, type Module } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import boot from "./boot.ts";
import build from "./build.ts";
import buildroot from "./buildroot.ts";
import image from "./image.ts";
import locale from "./locale.ts";
import networking from "./networking.ts";
import openssh from "./openssh.ts";
import program from "./program.ts";
import services from "./services/index.ts";
import stage from "./stage.ts";
import system from "./system.ts";
import tests from "./tests.ts";
import users from "./users.ts";

/** Every option module. */
export const optionModules: readonly Module[] = [
  boot,
  build,
  buildroot,
  image,
  locale,
  networking,
  openssh,
  program,
  services,
  stage,
  system,
  tests,
  users,
];

/** Evaluates a system: all option modules, and the modules given. */
export function evalSystem({ pkgs, modules }: { readonly pkgs: Packages; readonly modules: readonly Module[] }) {
  return evalModules({ modules: [...optionModules, ...modules], specialArgs: { pkgs } });
}
