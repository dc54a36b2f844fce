/** Systems that Gaia's configuration files describe. */
import { basename, dirname, extname } from "node:path";
import { dataModule, defineModule, EvaluationError, mkDefault, mkOverride, type Module } from "#lib/evaluator/index.ts";
import type { Configuration } from "#lib/flake/configuration.ts";
import type { GivenInputs } from "#lib/flake/given-inputs.ts";
import type { Packages } from "#pkgs/index.ts";
import { bootCheck, evalSystem } from "../index.ts";
import { type GaiaDocument, readGaia } from "./document.ts";

/** What a system is made of: a file, and what it is laid over. */
export interface GaiaRequest {
  /** Absolute. */
  readonly file: string;
  /** Whether what Gaia accepted without a word is only warned of. */
  readonly legacy: boolean;
  readonly pkgs: Packages;
  readonly given: GivenInputs;
  /** What every tree starts from: a base to boot, and a board. */
  readonly base: readonly Module[];
}

/** The system that a file of a Gaia tree describes, laid over `base`. */
export function gaiaConfiguration({ file, legacy, pkgs, given, base }: GaiaRequest): Configuration {
  const document = readGaia(file);
  if (document.ignored.length > 0 && !legacy)
    throw new EvaluationError({ reason: "bad-data", file: document.file, problems: document.ignored });
  const system = evalSystem({ pkgs, given, modules: [...base, defaults(document), dataModule(document)] });
  return {
    name: buildName(document.file),
    system,
    get package() {
      return system.config.system.build.image;
    },
    get check() {
      return bootCheck({ pkgs, system });
    },
  };
}

/** What follows from the file itself. */
function defaults(document: GaiaDocument): Module {
  return defineModule({
    name: `defaults for ${document.file}`,
    config: {
      build: { name: mkOverride(900, buildName(document.file)) },
      workspace: { root_dir: mkDefault(dirname(document.file)) },
    },
  });
}

/** The name of a build is that of its file; characters that cannot be in a name become dashes. */
function buildName(file: string): string {
  const name = basename(file, extname(file))
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "");
  return name === "" ? "build" : name;
}
