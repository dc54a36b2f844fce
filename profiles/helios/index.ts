import { defineModule, mkDefault } from "#lib/evaluator/index.ts";
import minimal from "../minimal.ts";
import api from "./api.ts";
import backendTests from "./backend.ts";
import diagnostics from "./diagnostics.ts";
import engine from "./engine.ts";
import gadget from "./gadget.ts";
import loginBanner from "./login-banner.ts";
import networkd from "./networkd.ts";
import peripherals from "./peripherals.ts";
import provisioning from "./provisioning.ts";
import ssh from "./ssh.ts";
import updater from "./updater.ts";
import usbPower from "./usb-power.ts";

/** HeliOS on any board: network, ssh, the data directory, and HeliOS's programs. */
export default defineModule({
  name: "profiles/helios",
  imports: [
    minimal,
    api,
    backendTests,
    diagnostics,
    engine,
    gadget,
    loginBanner,
    networkd,
    peripherals,
    provisioning,
    ssh,
    updater,
    usbPower,
  ],
  config: {
    build: { name: mkDefault("helios"), version: mkDefault("v2026.0.0"), distribution: "HeliOS" },
    users: {
      // Who may talk to the programs by their sockets.
      groups: { "helios-ipc": { gid: 851 } },
    },
    stage: {
      directories: [{ dst: "/var/lib/helios", mode: "0750" }],
      env: {
        files: [
          {
            path: "/etc/default/helios-identity",
            vars: {
              HOSTNAME: (config) => config.networking.hostName,
              OS_ID: (config) => config.build.distribution.toLowerCase(),
              OS_NAME: (config) => config.build.distribution,
              OS_PRETTY_NAME: (config) => `${config.build.distribution} ${config.build.version}`,
            },
          },
        ],
      },
    },
    tests: {
      boot: [{ type: "file", kind: "directory", path: "/var/lib/helios", mode: "750", owner: "root", group: "root" }],
    },
  },
});
