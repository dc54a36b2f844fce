/** Builds `count` small derivations and one that needs them all, two at a time: `builds.ts <store> <tool root> <count>`. */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { build } from "#lib/build/build.ts";
import { Builtins } from "#lib/build/builtin.ts";
import { Bubblewrap } from "#lib/build/sandbox/bubblewrap.ts";
import { derivation } from "#lib/derivations/derivation.ts";
import { source } from "#lib/derivations/source.ts";
import { Events } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { Processes } from "#lib/platform/processes.ts";
import { Store } from "#lib/store/store.ts";

const [root = "", tools = "", count = ""] = process.argv.slice(2);
const environment = source({ path: tools, name: "tools" });
const step = (name: string, text: string) =>
  derivation({ name, builder: "/bin/bash", args: ["-euc", text], env: { environment } });
const parts = Array.from({ length: Number(count) }, (_, index) => step(`part-${index}`, `echo ${index} > $out`));
const services = Layer.mergeAll(
  Store.layer({ root }),
  Processes.layer,
  Events.silent,
  Builtins.layer([]),
  Bubblewrap.layer,
).pipe(Layer.provideMerge(FileSystem.layer));
await Effect.runPromise(
  Effect.provide(build([step("whole", `cat ${["/dev/null", ...parts].join(" ")} > $out`)], { jobs: 2 }), services),
);
