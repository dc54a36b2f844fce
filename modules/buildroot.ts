import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  buildroot: {
    starting_point: {
      enabled: mkOption({
        type: types.bool,
        default: true,
        description: "Whether the root file system starts from packages that are unpacked, rather than from a Buildroot build.",
      }),
      packages: {
        install: mkOption({
          type: types.listOf(types.strMatching("[a-z0-9][a-z0-9+.-]+")),
          default: [],
          example: ["dnsmasq", "tcpdump"],
          description: "Debian packages of the target, each with all that it depends on. Pinned in flake.lock.",
        }),
        exclude: mkOption({
          type: types.listOf(types.strMatching("[a-z0-9][a-z0-9+.-]+")),
          default: [],
          description:
            "Packages to leave out although others depend on them: those that only maintainer scripts need, which never run here.",
        }),
        pockets: mkOption({
          type: types.listOf(types.enum(["security", "backports"])),
          default: [],
          description:
            "Parts of the release to take newer versions from. Their files go away sooner than those of the release, so pins rot faster.",
        }),
      },
      leave_out: mkOption({
        type: types.listOf(types.str),
        default: ["usr/share/doc", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man"],
        description: "Paths of packages that do not go into the image.",
      }),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    buildroot: typeof options;
  }
}

/** The base of the root file system. */
export default defineModule({
  name: "buildroot",
  options,
  config: {
    assertions: (config) => [
      {
        assertion: config.buildroot.starting_point.enabled,
        message:
          "buildroot.starting_point.enabled is false, but this version has no other base yet: the Buildroot build is to come.",
      },
    ],
  },
});
