import { defineModule } from "#lib/evaluator/index.ts";
import frontend, { frontendDirectory } from "./frontend.ts";
import { backend } from "./backend.ts";
import { dataIsMounted } from "./provisioning.ts";
import { sandboxed } from "../sandboxed-service.ts";

const port = 5801;

const answers = [
  { path: "/health", finds: '"status":"ok"' },
  { path: "/", finds: "Content-Type: text/html[^]*<title>HeliOS</title>" },
  { path: "/page.js", finds: "Content-Type: text/javascript" },
  {
    path: "/api/state",
    finds:
      '"engine":\\{"name":"helios-engine"[^]*"name":"led"[^]*"loaded":true[^]*"name":"nt4"[^]*"loaded":true[^]*"updater":\\{"name":"helios-updater"',
  },
  {
    path: "/metrics",
    finds: 'helios_service_up\\{service="engine"\\} 1\\n[^]*helios_service_up\\{service="updater"\\} 1\\n',
  },
  { path: "/../../../etc/passwd", finds: "^HTTP/1.1 400 " },
].map(({ path, finds }) => ({
  description: `the HTTP server answers ${path}`,
  command: request(path),
  expect: { stdout: { matches: finds } },
}));

/** The HTTP server, started by the first connection to its port, with the frontend that it serves. */
export default defineModule({
  name: "profiles/helios/api",
  imports: [frontend],
  config: {
    program: {
      rust: { artifacts: [{ ...backend, id: "helios-api" }] },
      install: { items: [{ artifact: "helios-api", dest: "/usr/bin/helios-api" }] },
    },
    stage: {
      env: {
        sets: { "helios-api": { HELIOS_FRONTEND_DIR: frontendDirectory, HELIOS_SOCKET_DIR: "/run/helios" } },
      },
    },
    users: { users: { "helios-api": { isSystemUser: true, uid: 850, description: "HeliOS HTTP server" } } },
    services: {
      units: {
        "helios-api.socket": {
          unit: { Description: "Port of the HeliOS HTTP server" },
          socket: { ListenStream: `${port}`, NoDelay: true },
          wantedBy: ["sockets.target"],
        },
        "helios-api.service": {
          unit: {
            Description: "HeliOS HTTP server",
            Requires: "helios-api.socket",
            Wants: ["helios-engine.socket", "helios-updater.socket"],
            After: ["helios-api.socket", "helios-engine.socket", "helios-updater.socket"],
            RequiresMountsFor: "/var/lib/helios",
          },
          service: {
            ...sandboxed,
            Type: "exec",
            ExecStartPre: dataIsMounted,
            ExecStart: "/usr/bin/helios-api",
            User: "helios-api",
            Group: "helios-api",
            SupplementaryGroups: "helios-ipc",
            CapabilityBoundingSet: "",
            PrivateDevices: true,
            ProtectClock: true,
            ProtectHostname: true,
            ProtectKernelLogs: true,
            MemoryDenyWriteExecute: true,
            // New sockets only to the other programs: the port comes from systemd.
            RestrictAddressFamilies: "AF_UNIX",
            SystemCallFilter: "@system-service",
            Restart: "on-failure",
          },
          envSet: "helios-api",
          also: ["helios-api.socket"],
        },
      },
    },
    tests: {
      boot: [
        ...answers,
        {
          description: "the HTTP server runs as its own user",
          command: "stat -c %U /proc/$(systemctl show --property MainPID --value helios-api.service)",
          expect: { stdout: { equals: "helios-api" } },
        },
      ],
      reboot: answers,
    },
  },
});
/** A request by hand: the image has no HTTP client. */
function request(path: string): string {
  return `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && printf "GET ${path} HTTP/1.1\\r\\nHost: helios\\r\\n\\r\\n" >&3 && cat <&3'`;
}
