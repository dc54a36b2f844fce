import { defineModule, mkForce } from "#lib/evaluator/index.ts";
import development from "#profiles/development.ts";
import heliosCm5 from "./helios-cm5.ts";

/** HeliOS for the Compute Module 5, to work on. */
export default defineModule({
  name: "systems/helios-development",
  imports: [heliosCm5, development],
  config: { build: { name: mkForce("helios-development") } },
});
