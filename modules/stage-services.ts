import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import { octalMode } from "./file-mode.ts";
import { imagePath } from "./image-path.ts";
import { removed } from "./removed.ts";
import { neverRead } from "./removed-options.ts";

const asset = {
  src: mkOption({
    type: types.str,
    example: "./prepare.sh",
    description: "Local file: beside the unit file with `./` in front, else as paths of the workspace are.",
  }),
  dst: mkOption({ type: imagePath, example: "/usr/local/bin/prepare.sh", description: "Absolute path in the image." }),
  mode: mkOption({
    type: octalMode,
    default: "0644",
    example: "0755",
    description: "Mode, in octal digits or as a number.",
  }),
};

const unit = {
  enabled: mkOption({ type: types.bool, default: true, description: "Whether the unit is part of the system at all." }),
  vendor: mkOption({ type: types.bool, default: false, description: "Whether a package ships the unit." }),
  src: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "@assets/services/helios-api.service",
    description: "Local unit file, copied as it is. Prefer services.units, whose directives are checked.",
  }),
  unit: mkOption({
    type: types.nullOr(types.strMatching("[A-Za-z0-9:_.@\\\\-]+\\.[a-z]+")),
    default: null,
    example: "helios-api.service",
    description:
      "Name of the unit; by default that of `src`, else the attribute's name, with `.service` when it has no type.",
  }),
  targets: mkOption({
    type: types.listOf(types.strMatching("[A-Za-z0-9:_.@\\\\-]+")),
    default: [],
    example: ["multi-user"],
    description: "Targets that start the unit; `.target` is added to a name without a dot.",
  }),
  env_set: mkOption({
    type: types.nullOr(types.str),
    default: null,
    example: "helios-api",
    description: "Set of `stage.env.sets` that goes into `env_file`.",
  }),
  env: mkOption({
    type: types.attrsOf(types.str),
    default: {},
    example: { LOG_FOLDER: "/var/log/helios" },
    description: "Variables for `env_file`; they win over those of `env_set`.",
  }),
  env_file: mkOption({
    type: types.nullOr(imagePath),
    default: null,
    example: "/etc/default/helios-api",
    description:
      "Environment file that is written when there are variables; /etc/default/NAME by default. The unit reads it by EnvironmentFile=.",
  }),
  assets: mkOption({
    type: types.listOf(types.submodule({ options: asset })),
    default: [],
    description: "Files that come with the unit.",
  }),
};

const options = {
  stage: {
    services: {
      enabled: mkOption({
        type: types.bool,
        default: true,
        description: "Whether these units are part of the system.",
      }),
      allowed_prefixes: removed(neverRead("stage.services.allowed_prefixes")),
      units: mkOption({
        type: types.attrsOf(types.submodule({ options: unit })),
        default: {},
        example: {
          "helios-api": { src: "@assets/services/helios-api.service", targets: ["multi-user"], env_set: "helios-api" },
        },
        description:
          "Units as existing trees have them: files with a list of targets. They become entries of services.units.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    stageServices: typeof options;
  }
}

/** Units written as files. */
export default defineModule({
  name: "stage-services",
  options,
  config: {
    services: {
      units: (config) =>
        Object.fromEntries(
          enabled(config.stage.services).map(([key, unit]) => [
            unitName(key, unit),
            {
              vendor: unit.vendor && unit.src === null,
              src: unit.src,
              wantedBy: unit.targets.map((target) => (target.includes(".") ? target : `${target}.target`)),
            },
          ]),
        ),
    },
    stage: {
      env: {
        files: (config) =>
          enabled(config.stage.services).flatMap(([key, { env, env_set, env_file, ...unit }]) =>
            Object.keys(env).length === 0 && env_set === null
              ? []
              : [
                  {
                    path:
                      env_file ?? `/etc/default/${unitName(key, unit).replace(/\.(service|socket|timer|target)$/, "")}`,
                    sets: env_set === null ? [] : [env_set],
                    vars: env,
                  },
                ],
          ),
      },
      files: (config) =>
        enabled(config.stage.services).flatMap(([, { src, assets }]) =>
          assets.map((asset) => ({ dst: asset.dst, mode: asset.mode, src: besideUnit(src, asset.src) })),
        ),
    },
    assertions: (config) => [
      // Its type refuses every value, but only once something reads it.
      {
        assertion: config.stage.services.allowed_prefixes === null,
        message: "stage.services.allowed_prefixes is set.",
      },
      ...enabled(config.stage.services).map(([key, { vendor, src }]) => ({
        assertion: vendor || src !== null,
        message: `stage.services.units."${key}": needs src. If a package ships the unit, set vendor; to write it here, use services.units."${unitName(key, { unit: null, src: null })}".`,
      })),
      ...enabled(config.stage.services).flatMap(([key, { assets, src }]) =>
        assets.map((asset) => ({
          assertion: !asset.src.split("/").includes("..") && (src !== null || !asset.src.startsWith("./")),
          message: `stage.services.units."${key}": the asset '${asset.src}' must not have '..' in it, and can only be beside a unit file when there is one.`,
        })),
      ),
    ],
  },
});

interface Named {
  readonly unit: string | null;
  readonly src: string | null;
}

/** Given, else the file's name, else the attribute's, with a type. */
function unitName(key: string, { unit, src }: Named): string {
  if (unit !== null) return unit;
  if (src !== null) return src.slice(src.lastIndexOf("/") + 1);
  return key.includes(".") ? key : `${key}.service`;
}

function enabled<Unit extends { readonly enabled: boolean }>(services: {
  readonly enabled: boolean;
  readonly units: Readonly<Record<string, Unit>>;
}): [string, Unit][] {
  return services.enabled ? Object.entries(services.units).filter(([, unit]) => unit.enabled) : [];
}

function besideUnit(unit: string | null, path: string): string {
  return unit !== null && path.startsWith("./") ? `${unit.slice(0, unit.lastIndexOf("/") + 1)}${path.slice(2)}` : path;
}
