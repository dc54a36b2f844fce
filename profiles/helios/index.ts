import { defineModule, mkDefault } from "#lib/evaluator/index.ts";
import minimal from "../minimal.ts";
import engine from "./engine.ts";

/** HeliOS on any board: network, ssh, the data directory, and the engine. */
export default defineModule({
  name: "profiles/helios",
  imports: [minimal, engine],
  config: {
    build: { name: mkDefault("helios"), version: mkDefault("v2026.0.0"), distribution: "HeliOS" },
    networking: {
      interfaces: {
        wired: { match: ["eth*", "en*"], dhcp: "yes" },
      },
    },
    services: { openssh: { enable: true } },
    users: {
      users: {
        helios: { description: "HeliOS operator", uid: 1000, extraGroups: ["systemd-journal"] },
      },
    },
    stage: {
      directories: [{ dst: "/var/lib/helios", mode: "0750" }],
      files: [{ dst: "/etc/motd", content: (config) => `${config.build.distribution} ${config.build.version}\n`, replace: true }],
    },
    tests: {
      boot: [{ type: "file", kind: "directory", path: "/var/lib/helios", mode: "750", owner: "root", group: "root" }],
    },
  },
});
