import { main } from "#lib/cli/main.ts";
import type { Module } from "#lib/evaluator/index.ts";
import { debianArchive, defineFlake } from "#lib/flake/flake.ts";
import { bootCheck, evalSystem } from "#modules/index.ts";
import { bubblewrapRequest } from "#pkgs/bubblewrap.ts";
import { makePackages } from "#pkgs/index.ts";
import { gaiaConfiguration } from "#modules/gaia/index.ts";
import cloud from "./systems/cloud.ts";
import gaia from "./systems/gaia.ts";
import heliosCm5 from "./systems/helios-cm5.ts";
import heliosDevelopment from "./systems/helios-development.ts";

const flake = defineFlake({
  description: "HeliOS for the Raspberry Pi Compute Module 5",

  inputs: {
    debian: debianArchive({
      archives: ["https://ftp.debian.org/debian", "https://snapshot.debian.org/archive/debian/20261115T000000Z"],
    }),
  },

  outputs: (context) => {
    const pkgs = makePackages(context);
    const system = (module: Module) => evalSystem({ ...context, pkgs, modules: [module] });
    const systems = {
      "helios-cm5": system(heliosCm5),
      "helios-development": system(heliosDevelopment),
      cloud: system(cloud),
    };
    return {
      systems,
      // What `build path/to/build.toml` makes of the file.
      configuration: (file) => gaiaConfiguration({ ...context, pkgs, file, base: [gaia] }),
      packages: {
        get "helios-cm5"() {
          return systems["helios-cm5"].config.system.build.result;
        },
        get "helios-development"() {
          return systems["helios-development"].config.system.build.result;
        },
        get cloud() {
          return systems.cloud.config.system.build.result;
        },
        // The sandbox program for machines without one, and for the tests.
        get bubblewrap() {
          return pkgs.environment(bubblewrapRequest);
        },
        // Tools of artifacts that HeliOS itself has none of, so that they are pinned for profiles that do.
        get "c-environment"() {
          return pkgs.environments.crossC;
        },
        get "java-environment"() {
          return pkgs.environments.java;
        },
      },
      checks: {
        get "helios-cm5"() {
          return bootCheck({ pkgs, system: systems["helios-cm5"] });
        },
      },
    };
  },
});

export default flake;

await main(flake, import.meta.url);
