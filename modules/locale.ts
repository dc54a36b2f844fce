import { defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  locale: {
    timeZone: mkOption({
      type: types.strMatching("[A-Za-z0-9_+/-]+"),
      default: "Etc/UTC",
      example: "Europe/Berlin",
      description: "Time zone, by its name in the time zone database.",
    }),
    language: mkOption({
      type: types.strMatching("[A-Za-z0-9_.@-]+"),
      default: "C.UTF-8",
      example: "C.UTF-8",
      description:
        "Value of LANG. All but C, POSIX and C.UTF-8 need the package `locales-all`, or a locale staged in /usr/lib/locale.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    locale: typeof options;
  }
}

/** Language and time zone. */
export default defineModule({ name: "locale", options });
