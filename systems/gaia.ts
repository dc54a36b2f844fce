import { defineModule } from "#lib/evaluator/index.ts";
import minimal from "#profiles/minimal.ts";
import cm5 from "#profiles/pi/cm5.ts";

/** What the configuration files of Gaia trees are laid over: they say neither what boots nor on which board. */
export default defineModule({ name: "systems/gaia", imports: [minimal, cm5] });
