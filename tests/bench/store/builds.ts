/**
 * Builds `count` small derivations and one that needs them all, two at a time: `builds.ts <store> <tool root> <count>`.
 * As the command `build` does, it asks what there is to do before it loads what builds.
 */
import * as nodeFs from "node:fs";
import { findRootOutputs, instantiateSources } from "#lib/build/built-already.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { layoutOf } from "#lib/store/layout.ts";
import { StoreReader } from "#lib/store/store-reader.ts";

const [root = "", tools = "", count = ""] = process.argv.slice(2);
const environment = source({ path: tools, name: "tools" });
const step = (name: string, text: string) =>
  derivation({ name, builder: "/bin/bash", args: ["-euc", text], env: { environment } });
const parts = Array.from({ length: Number(count) }, (_, index) => step(`part-${index}`, `echo ${index} > $out`));
const roots = [step("whole", `cat ${["/dev/null", ...parts].join(" ")} > $out`)];

const reader = new StoreReader(nodeFs, layoutOf(root));
const instantiated = await instantiateSources(reader, roots);
const found = await findRootOutputs(reader, instantiated.instantiation, roots);
await reader.close();
if (found === undefined) {
  const { buildAll } = await import("./build-all.ts");
  await buildAll(root, roots, instantiated);
}
