import { defineModule } from "#lib/evaluator/index.ts";

/** The wired network by DHCP, whatever the board's port is called: `end0` by device tree, `eth0` or `en…` elsewhere. */
export default defineModule({
  name: "profiles/helios/networkd",
  config: { networking: { interfaces: { wired: { match: ["eth*", "en*"], dhcp: "yes" } } } },
});
