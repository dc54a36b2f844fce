/** Assertions and warnings that modules make about the configuration. */
import { defineModule } from "./module.ts";
import { mkOption } from "./option.ts";
import { EvaluationError, type FailedAssertion } from "./errors.ts";
import { GroupNode, OptionCell } from "./nodes.ts";
import { recordSourceOf } from "./records.ts";
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

/** One error for all assertions that do not hold; undefined if all do. */
export function assertionsError(assertions: Asserted["assertions"]): EvaluationError | undefined {
  const failed = assertions.filter((each) => !each.assertion).map(withSource);
  return failed.length === 0 ? undefined : new EvaluationError({ reason: "assertions", assertions: failed });
}

/** Throws one error that lists every failed assertion; returns the warnings. */
export function checkAssertions(config: Asserted): readonly string[] {
  const error = assertionsError(config.assertions);
  if (error !== undefined) throw error;
  return config.warnings;
}

function withSource(assertion: Asserted["assertions"][number]): FailedAssertion {
  const { message } = assertion;
  const node = recordSourceOf(assertion);
  const cell = node instanceof GroupNode ? node.child("message") : undefined;
  // Which of a module's assertions it is cannot be told from its text; where they begin can.
  return cell instanceof OptionCell
    ? { message, source: cell.definitions[0]?.source, location: { up: undefined, key: "assertions" } }
    : { message, source: undefined, location: undefined };
}
