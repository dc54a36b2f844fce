import { join } from "node:path";
import { defineModule } from "#lib/evaluator/index.ts";

const socketPath = "/run/helios/engine.sock";

/** The engine, started by the first request on its socket. */
export default defineModule({
  name: "profiles/helios/engine",
  config: {
    program: {
      rust: {
        artifacts: [
          { id: "helios-engine", workspace_dir: join(import.meta.dirname, "../../pkgs/helios/engine") },
        ],
      },
      install: { items: [{ artifact: "helios-engine", dest: "/usr/bin/helios-engine" }] },
    },
    services: {
      units: {
        "helios-engine.socket": {
          unit: { Description: "Socket of the HeliOS engine" },
          socket: { ListenStream: socketPath, SocketMode: "0660", DirectoryMode: "0755" },
          wantedBy: ["sockets.target"],
        },
        "helios-engine.service": {
          unit: {
            Description: "HeliOS engine",
            Requires: "helios-engine.socket",
            After: "helios-engine.socket",
          },
          service: {
            Type: "exec",
            ExecStart: "/usr/bin/helios-engine",
            StateDirectory: "helios",
            StateDirectoryMode: "0750",
            NoNewPrivileges: true,
            ProtectSystem: "strict",
            ProtectHome: true,
            PrivateTmp: true,
            Restart: "on-failure",
          },
          also: ["helios-engine.socket"],
        },
      },
    },
    tests: {
      boot: (config) => [
        {
          type: "socket-activation",
          socket: "helios-engine.socket",
          service: "helios-engine.service",
          path: socketPath,
          answer: { name: "helios-engine" },
        },
        { type: "file", path: "/usr/bin/helios-engine", mode: config.program.install.items[0]?.mode.replace(/^0/, "") ?? "755" },
      ],
    },
  },
});
