import { defineCommand, switchFlag } from "../command.ts";
import * as flags from "../flags.ts";

/** `plan`: what a build would do, task by task, and why. */
export const planCommand = defineCommand({
  name: "plan",
  description: "Tell what a build would do, task by task, and why",
  examples: [
    { command: "npx tsx flake.ts plan .#helios-cm5", description: "What has to be built and fetched for the image" },
    { command: "npx tsx flake.ts plan path/to/build.toml --dot | dot -Tsvg > plan.svg", description: "Draw the tasks" },
  ],
  parameters: {
    installable: flags.installable,
    dot: switchFlag("dot", "Print a graph of the tasks in the language of Graphviz"),
    json: flags.json,
    ...flags.substitution,
    ...flags.watching,
  },
  run: async (flake, input) => (await import("../actions/plan.ts")).plan(flake, input),
});
