/** Builds one derivation in a process of its own: `build-child.ts <store root> <tool root> <script>`. */
import * as nodeFs from "node:fs";
import { build } from "#lib/build/build.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { makeHarness } from "./harness.ts";

const [root = "", tools = "", text = ""] = process.argv.slice(2);
const { run, events } = makeHarness({ fs: nodeFs, root });
// The parent waits for this line before it kills this process.
const watching = setInterval(() => {
  if (!events.some(({ type }) => type === "build-started")) return;
  clearInterval(watching);
  console.log("build-started");
}, 10);
const root_ = derivation({
  name: "child",
  builder: "/bin/bash",
  args: ["-euc", `${text}; echo done > $out`],
  env: { environment: source({ path: tools, name: "tools" }) },
});
const result = await run(build([root_]));
clearInterval(watching);
console.log(result.built.length === 1 ? "built" : "cut-off", result.outputs.get(root_)?.get("out"));
