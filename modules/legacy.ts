import { type Config, defineModule, mkOption, types } from "#lib/evaluator/index.ts";

const options = {
  build: {
    legacy: mkOption({
      type: types.bool,
      default: false,
      internal: true,
      description: "Whether mistakes that Gaia accepted without a word are warnings: `--legacy`.",
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    legacy: typeof options;
  }
}

/** Leniency with existing trees. */
export default defineModule({ name: "legacy", options });

/** Mistakes that Gaia accepted without a word: failed assertions, unless leniency is asked for. */
export function tolerable(problems: (config: Config) => readonly string[]) {
  return {
    assertions: (config: Config) =>
      config.build.legacy ? [] : problems(config).map((message) => ({ assertion: false, message })),
    warnings: (config: Config) => (config.build.legacy ? [...problems(config)] : []),
  };
}
