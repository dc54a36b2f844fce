import { defineModule } from "#lib/evaluator/index.ts";
import { backend } from "./backend.ts";

const watched = [
  "helios-api",
  "helios-boot-buttond",
  "helios-engine",
  "helios-peripherals",
  "helios-updater",
  "helios-usb-recoveryd",
];

/** A report in /var/log/helios about each HeliOS service that fails, by drop-ins beside their units. */
export default defineModule({
  name: "profiles/helios/diagnostics",
  config: {
    program: {
      rust: { artifacts: [{ ...backend, id: "helios-diagnostics" }] },
      install: { items: [{ artifact: "helios-diagnostics", dest: "/usr/bin/helios-diagnostics" }] },
    },
    services: {
      units: {
        "helios-diagnostics@.service": {
          unit: { Description: "Report about the failure of %i" },
          service: {
            Type: "oneshot",
            ExecStart: "/usr/bin/helios-diagnostics --unit %i",
            LogsDirectory: "helios",
            NoNewPrivileges: true,
            ProtectSystem: "strict",
            ProtectHome: true,
            PrivateTmp: true,
          },
        },
        ...Object.fromEntries(
          watched.map((name) => [
            `${name}.service`,
            { dropIns: { diagnostics: { unit: { OnFailure: "helios-diagnostics@%n.service" } } } },
          ]),
        ),
      },
    },
    tests: {
      boot: [
        {
          description: "a report about a unit is written",
          command:
            "systemctl start helios-diagnostics@helios-engine.service.service && grep -l '^== journal' /var/log/helios/failure-*-helios-engine.service.txt",
          expect: { stdout: { matches: "/var/log/helios/failure-" } },
        },
        {
          description: "services report their failures",
          command: "systemctl show --property OnFailure --value helios-api.service",
          expect: { stdout: { equals: "helios-diagnostics@helios-api.service.service" } },
        },
      ],
    },
  },
});
