import { defineModule } from "#lib/evaluator/index.ts";
import { activation } from "./activation.ts";
import { backend } from "./backend.ts";
import { sandboxed } from "../sandboxed-service.ts";

const socketPath = "/run/helios/updater.sock";

/** The updater, started by the first request on its socket: says which image runs. */
export default defineModule({
  name: "profiles/helios/updater",
  config: {
    program: {
      rust: { artifacts: [{ ...backend, id: "helios-updater" }] },
      install: { items: [{ artifact: "helios-updater", dest: "/usr/bin/helios-updater" }] },
    },
    services: {
      units: {
        "helios-updater.socket": {
          unit: { Description: "Socket of the HeliOS updater" },
          socket: { ListenStream: socketPath, SocketMode: "0660", SocketGroup: "helios-ipc", DirectoryMode: "0755" },
          wantedBy: ["sockets.target"],
        },
        "helios-updater.service": {
          unit: {
            Description: "HeliOS updater",
            Requires: "helios-updater.socket",
            After: "helios-updater.socket",
            RequiresMountsFor: "/var/lib/helios",
          },
          service: {
            ...sandboxed,
            Type: "exec",
            ExecStart: "/usr/bin/helios-updater",
            RestrictAddressFamilies: "AF_UNIX",
            Restart: "on-failure",
          },
          also: ["helios-updater.socket"],
        },
      },
    },
    tests: { boot: (config) => [starts(config.build)], reboot: (config) => [starts(config.build)] },
  },
});

/** It answers with what it reads from /etc/os-release. */
function starts(build: { readonly name: string; readonly version: string; readonly distribution: string }) {
  const image = { id: build.name, version: build.version, name: `${build.distribution} ${build.version}` };
  return activation("helios-updater", socketPath, { state: "idle", image });
}
