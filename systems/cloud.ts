import { defineModule } from "#lib/evaluator/index.ts";
import cloud from "#profiles/cloud.ts";
import hardened from "#profiles/hardened.ts";

/** A small server for a virtual machine, without anything of HeliOS. */
export default defineModule({
  name: "systems/cloud",
  imports: [cloud, hardened],
  config: { build: { name: "cloud", version: "1", distribution: "Cloud" } },
});
