/**
 * Builds in a process of its own: `build-child.ts <store root> <tool root> <script> [count]`. The script makes `count`
 * outputs, which one more derivation puts together.
 */
import * as nodeFs from "node:fs";
import { build } from "#lib/build/build.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { makeHarness } from "./harness.ts";

const [root = "", tools = "", text = "", count = "0"] = process.argv.slice(2);
const { run, events } = makeHarness({ fs: nodeFs, root });
const environment = source({ path: tools, name: "tools" });
const script = (name: string, text: string) =>
  derivation({ name, builder: "/bin/bash", args: ["-euc", text], env: { environment } });
// The parent waits for this line before it kills this process.
const watching = setInterval(() => {
  if (!events.some(({ type }) => type === "build-started")) return;
  clearInterval(watching);
  console.log("build-started");
}, 10);
const parts = Array.from({ length: Number(count) }, (_, index) =>
  script(`part-${index}`, `${text}; echo ${index} > $out`),
);
const child =
  parts.length === 0 ? script("child", `${text}; echo done > $out`) : script("whole", `cat ${parts.join(" ")} > $out`);
const result = await run(build([child], { jobs: 2 }));
clearInterval(watching);
console.log(result.built.includes(child.name) ? "built" : "cut-off", result.outputs.get(child)?.get("out"));
