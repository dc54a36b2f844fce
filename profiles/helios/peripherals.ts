import { defineModule } from "#lib/evaluator/index.ts";
import { activation } from "./activation.ts";
import { backend } from "./backend.ts";
import { sandboxed } from "../sandboxed-service.ts";

const socketPath = "/run/helios/peripherals.sock";
const starts = activation("helios-peripherals", socketPath, {});

/** What the board has: sensors and fans on request, its button and the serial ports of its USB gadget when they are there. */
export default defineModule({
  name: "profiles/helios/peripherals",
  config: {
    program: {
      rust: {
        artifacts: [
          { ...backend, id: "helios-peripherals" },
          { ...backend, id: "helios-boot-buttond" },
          { ...backend, id: "helios-usb-recoveryd" },
        ],
      },
      install: {
        items: [
          { artifact: "helios-peripherals", dest: "/usr/bin/helios-peripherals" },
          { artifact: "helios-boot-buttond", dest: "/usr/bin/helios-boot-buttond" },
          { artifact: "helios-usb-recoveryd", dest: "/usr/bin/helios-usb-recoveryd" },
        ],
      },
    },
    stage: {
      env: {
        sets: {
          "helios-peripherals": { HELIOS_SYSFS_DIR: "/sys" },
          "helios-boot-buttond": { HELIOS_BOOT_BUTTON_HOLD_SECS: "5", HELIOS_BOOT_BUTTON_COOLDOWN_SECS: "15" },
          "helios-usb-recoveryd": { HELIOS_USB_RECOVERY_PORTS: "/dev/ttyGS0,/dev/ttyGS1" },
        },
        files: [
          { path: "/etc/default/helios-boot-buttond", sets: ["helios-boot-buttond"] },
          { path: "/etc/default/helios-usb-recoveryd", sets: ["helios-usb-recoveryd"] },
        ],
      },
    },
    services: {
      udev: {
        rules: {
          "90-helios-usb-recovery": [
            {
              comment: "Ports of a gadget that is bound later, or again.",
              match: { ACTION: "add", SUBSYSTEM: "tty", KERNEL: "ttyGS*" },
              add: { TAG: "systemd", "ENV{SYSTEMD_WANTS}": "helios-usb-recoveryd.service" },
            },
          ],
        },
      },
      units: {
        "helios-peripherals.socket": {
          unit: { Description: "Socket of the HeliOS peripherals" },
          socket: { ListenStream: socketPath, SocketMode: "0660", SocketGroup: "helios-ipc", DirectoryMode: "0755" },
          wantedBy: ["sockets.target"],
        },
        "helios-peripherals.service": {
          unit: {
            Description: "HeliOS peripherals",
            Requires: "helios-peripherals.socket",
            After: "helios-peripherals.socket",
          },
          service: {
            ...sandboxed,
            Type: "exec",
            ExecStart: "/usr/bin/helios-peripherals",
            RestrictAddressFamilies: "AF_UNIX",
            Restart: "on-failure",
          },
          envSet: "helios-peripherals",
          also: ["helios-peripherals.socket"],
        },
        "helios-boot-buttond.service": {
          unit: {
            Description: "HeliOS boot button",
            After: "systemd-udevd.service",
            ConditionPathExistsGlob: "/dev/input/event*",
          },
          service: {
            ...sandboxed,
            Type: "exec",
            ExecStart: "/usr/bin/helios-boot-buttond",
            EnvironmentFile: "/etc/default/helios-boot-buttond",
            Restart: "on-failure",
            RestartSec: "2s",
          },
          wantedBy: ["multi-user.target"],
        },
        "helios-usb-recoveryd.service": {
          unit: {
            Description: "HeliOS recovery by USB",
            After: "helios-usb-gadget.service",
            ConditionPathExistsGlob: "/dev/ttyGS*",
          },
          service: {
            ...sandboxed,
            Type: "exec",
            ExecStart: "/usr/bin/helios-usb-recoveryd",
            EnvironmentFile: "/etc/default/helios-usb-recoveryd",
            // It ends when the ports go, and they may be back by then.
            Restart: "always",
            RestartSec: "2s",
          },
          wantedBy: ["multi-user.target"],
        },
      },
    },
    tests: {
      reboot: [starts],
      boot: [
        starts,
        {
          description: "the button's program says what there is",
          command: "helios-boot-buttond --status",
          expect: { stdout: { matches: '"name":"helios-boot-buttond"' } },
        },
        {
          description: "the recovery program says what there is",
          command: "helios-usb-recoveryd --status",
          expect: { stdout: { matches: '"port":"/dev/ttyGS0","present":' } },
        },
      ],
    },
  },
});
