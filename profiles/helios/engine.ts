import { defineModule } from "#lib/evaluator/index.ts";
import { activation } from "./activation.ts";
import { backend } from "./backend.ts";
import { dataIsMounted } from "./provisioning.ts";
import { sandboxed } from "../sandboxed-service.ts";

const socketPath = "/run/helios/engine.sock";
const pluginDirectory = "/usr/lib/helios/plugins";
const starts = activation("helios-engine", socketPath, {});

/** The engine, started by the first request on its socket, and its plugins. */
export default defineModule({
  name: "profiles/helios/engine",
  config: {
    program: {
      rust: {
        artifacts: [
          { ...backend, id: "helios-engine" },
          { ...backend, id: "daedalus-led", package: "helios-daedalus-led-plugin", kind: "cdylib" },
          { ...backend, id: "daedalus-nt4", package: "helios-daedalus-nt4-plugin", kind: "cdylib" },
        ],
      },
      install: {
        items: [
          { artifact: "helios-engine", dest: "/usr/bin/helios-engine" },
          { artifact: "daedalus-led", dest: `${pluginDirectory}/libhelios_daedalus_led_plugin.so`, mode: "0644" },
          { artifact: "daedalus-nt4", dest: `${pluginDirectory}/libhelios_daedalus_nt4_plugin.so`, mode: "0644" },
        ],
      },
    },
    stage: { env: { sets: { "helios-engine": { HELIOS_PLUGIN_DIRS: pluginDirectory } } } },
    services: {
      units: {
        "helios-engine.socket": {
          unit: { Description: "Socket of the HeliOS engine" },
          socket: { ListenStream: socketPath, SocketMode: "0660", SocketGroup: "helios-ipc", DirectoryMode: "0755" },
          wantedBy: ["sockets.target"],
        },
        "helios-engine.service": {
          unit: {
            Description: "HeliOS engine",
            Requires: "helios-engine.socket",
            After: "helios-engine.socket",
            RequiresMountsFor: "/var/lib/helios",
          },
          service: {
            ...sandboxed,
            Type: "exec",
            ExecStartPre: dataIsMounted,
            ExecStart: "/usr/bin/helios-engine",
            StateDirectory: "helios",
            StateDirectoryMode: "0750",
            LogsDirectory: "helios",
            RestrictAddressFamilies: "AF_UNIX",
            Restart: "on-failure",
          },
          envSet: "helios-engine",
          also: ["helios-engine.socket"],
        },
      },
    },
    tests: {
      boot: [
        starts,
        { type: "file", path: "/usr/bin/helios-engine", mode: "755" },
        { type: "file", path: `${pluginDirectory}/libhelios_daedalus_led_plugin.so`, mode: "644" },
      ],
      reboot: [starts],
    },
  },
});
