import * as Command from "effect/cli/Command";
import * as flags from "../../flags.ts";
import { lazily } from "../../lazily.ts";

/** `store roots`: lists the links that keep paths alive. */
export const rootsCommand = Command.make("roots", { json: flags.json }, (input) =>
  lazily(
    () => import("../../actions/store/roots.ts"),
    ({ roots }) => roots(input),
  ),
).pipe(
  Command.withDescription("List the links, such as ./result, that keep paths from being deleted"),
  Command.withExamples([{ command: "tsx flake.ts store roots", description: "Find old ./result links" }]),
);
