/** Assertions and warnings that modules make about the configuration. */
import { defineModule } from "./module.ts";
import { mkOption } from "./option.ts";
import { EvaluationError } from "./errors.ts";
import { listOf } from "./types/containers.ts";
import { bool, str } from "./types/scalars.ts";
import { submodule } from "./types/submodules.ts";

const assertionOptions = {
  assertions: mkOption({
    type: listOf(
      submodule({
        options: {
          assertion: mkOption({ type: bool, description: "What must hold." }),
          message: mkOption({ type: str, description: "What to tell the user when it does not, with a remedy." }),
        },
      }),
    ),
    default: [],
    description: "Conditions that must hold for the configuration to make sense; all that fail are reported together.",
    internal: true,
  }),
  warnings: mkOption({
    type: listOf(str),
    default: [],
    description: "Messages for the user that do not stop anything.",
    internal: true,
  }),
};

declare module "./config.ts" {
  interface Declarations {
    readonly assertions: typeof assertionOptions;
  }
}

/** Declares `assertions` and `warnings`; part of every system. */
export const assertionsModule: ReturnType<typeof defineModule> = defineModule({
  name: "assertions",
  options: assertionOptions,
});

/** The part of a configuration that `checkAssertions` reads. */
export interface Asserted {
  readonly assertions: readonly { readonly assertion: boolean; readonly message: string }[];
  readonly warnings: readonly string[];
}

/** Throws one error that lists every failed assertion; returns the warnings. */
export function checkAssertions(config: Asserted): readonly string[] {
  const messages = config.assertions.filter((each) => !each.assertion).map((each) => each.message);
  if (messages.length > 0) throw new EvaluationError({ reason: "assertions", messages });
  return config.warnings;
}
