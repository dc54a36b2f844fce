import { defineModule } from "#lib/evaluator/index.ts";
import helios from "#profiles/helios/index.ts";
import cm5 from "#profiles/pi/cm5.ts";

/** HeliOS for the Raspberry Pi Compute Module 5. */
export default defineModule({
  name: "systems/helios-cm5",
  imports: [helios, cm5],
  config: {
    build: { name: "helios-cm5", version: "v2026.0.0" },
  },
});
