import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  build: {
    name: mkOption({
      type: types.strMatching("[A-Za-z0-9][A-Za-z0-9._-]*"),
      default: "helios",
      example: "helios-cm5",
      description: "Name of the system: names the image, the derivations and, unless set otherwise, the host.",
    }),
    version: mkOption({
      type: types.strMatching("v?[0-9A-Za-z][0-9A-Za-z.+~-]*"),
      default: "0.0.0",
      example: "v2026.0.0",
      description: "Version of the system, written to /etc/os-release and to the image's manifest.",
    }),
    distribution: mkOption({
      type: types.singleLineStr,
      default: "HeliOS",
      example: "HeliOS",
      description: "Name of the distribution, as people read it.",
    }),
    pinnedBy: mkOption({
      type: types.enum(["name", "content"]),
      default: "name",
      internal: true,
      description:
        "What `flake.lock` calls the packages of the system by: its name, or what is asked for, where names need not be unique.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    build: typeof options;
  }
}

/** What is built: its name and version. */
export default defineModule({
  name: "build",
  options,
  config: {
    stage: {
      files: [
        {
          dst: "/etc/os-release",
          content: (config) =>
            [
              `PRETTY_NAME="${config.build.distribution} ${config.build.version}"`,
              `NAME="${config.build.distribution}"`,
              `ID=${config.build.distribution.toLowerCase().replaceAll(/[^a-z0-9._-]/g, "-")}`,
              "ID_LIKE=debian",
              `VERSION_ID="${config.build.version}"`,
              `IMAGE_ID=${config.build.name.toLowerCase()}`,
              `IMAGE_VERSION=${config.build.version}`,
              "",
            ].join("\n"),
          // base-files ships a link to /usr/lib/os-release here.
          replace: true,
          fallback: true,
        },
      ],
    },
  },
});
