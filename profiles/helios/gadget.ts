import { join } from "node:path";
import { defineModule } from "#lib/evaluator/index.ts";

const program = "/usr/libexec/helios/usb-gadget.sh";
const settings = "/etc/helios/gadget.env";
const dnsmasqSettings = "/etc/helios/dnsmasq-usb0.conf";
const heard = "/run/helios-usb-gadget.heard";
const interfaceName = "usb0";
/** At boot, and when a controller appears later: udev starts usb-gadget.target then. */
const appearance = ["multi-user.target", "usb-gadget.target"];
const gadget = "/sys/kernel/config/usb_gadget/g1";
const services = "helios-usb-recoveryd.service helios-dnsmasq.service helios-usb-gadget.service";

/** Present only on a board whose device port is switched on; without it all of this is skipped. */
const hasController = { ConditionDirectoryNotEmpty: "/sys/class/udc" };

/**
 * The board as a USB device: a network of its own for whoever plugs it in, with
 * addresses by dnsmasq, and a serial port for helios-usb-recoveryd.
 */
export default defineModule({
  name: "profiles/helios/gadget",
  config: {
    buildroot: { starting_point: { packages: { install: ["dnsmasq-base"] } } },
    // The gadget's own interface, on the board's side.
    networking: {
      networkd: {
        networks: {
          "10-usb0": {
            match: { Name: interfaceName },
            link: { RequiredForOnline: false },
            network: {
              Address: "172.31.250.1/24",
              DHCP: false,
              ConfigureWithoutCarrier: true,
              LinkLocalAddressing: false,
            },
          },
        },
      },
    },
    stage: {
      files: [
        { dst: program, src: join(import.meta.dirname, "../../pkgs/helios/gadget/usb-gadget.sh"), mode: "0755" },
        {
          dst: dnsmasqSettings,
          content: [
            `interface=${interfaceName}`,
            "bind-dynamic",
            "port=0",
            "dhcp-authoritative",
            "dhcp-range=172.31.250.2,172.31.250.20,255.255.255.0,1h",
            "# No router: the cable is no way to the Internet.",
            "dhcp-option=3",
            "leasefile-ro",
            "pid-file=/run/helios-dnsmasq/pid",
            "",
          ].join("\n"),
        },
      ],
      env: {
        // The vendor number is that of pid.codes, for open hardware.
        sets: {
          "usb-gadget": { VID: "0x1209", PID: "0xF001", MANUFACTURER: "HeliOS", PRODUCT: "HeliOS Vision System" },
        },
        files: [{ path: settings, sets: ["usb-gadget"] }],
      },
    },
    services: {
      units: {
        "helios-usb-gadget.service": {
          unit: {
            Description: "USB gadget",
            Requires: "sys-kernel-config.mount",
            After: ["sys-kernel-config.mount", "systemd-udevd.service"],
            Before: "network-pre.target",
            Wants: "network-pre.target",
            OnFailure: "helios-diagnostics@%n.service",
            ...hasController,
          },
          service: {
            Type: "oneshot",
            RemainAfterExit: true,
            EnvironmentFile: settings,
            ExecStart: `${program} start`,
            ExecStop: `${program} stop`,
          },
          wantedBy: appearance,
        },
        "helios-dnsmasq.service": {
          unit: {
            Description: "Addresses for the USB gadget's network",
            Requires: "helios-usb-gadget.service",
            After: ["helios-usb-gadget.service", "systemd-networkd.service"],
            OnFailure: "helios-diagnostics@%n.service",
            ...hasController,
          },
          service: {
            Type: "exec",
            ExecStart: `/usr/sbin/dnsmasq --keep-in-foreground --user=nobody --conf-file=${dnsmasqSettings}`,
            // For the file with its process number, without which it does not start.
            RuntimeDirectory: "helios-dnsmasq",
            Restart: "on-failure",
            RestartSec: "2s",
            ProtectSystem: "strict",
            ProtectHome: true,
            PrivateTmp: true,
          },
          wantedBy: appearance,
        },
        "helios-usb-gadget-watchdog.service": {
          unit: {
            Description: "Look after the USB gadget",
            // Never while the gadget is being made or taken away.
            After: "helios-usb-gadget.service",
            PartOf: "helios-usb-gadget.service",
            ConditionPathExists: `${gadget}/UDC`,
          },
          service: { Type: "oneshot", EnvironmentFile: settings, ExecStart: `${program} watch` },
        },
        "helios-usb-gadget-watchdog.timer": {
          unit: {
            Description: "Look after the USB gadget every half a minute",
            PartOf: "helios-usb-gadget.service",
            ...hasController,
          },
          timer: { OnActiveSec: "10s", OnUnitInactiveSec: "30s", AccuracySec: "5s" },
          wantedBy: ["helios-usb-gadget.service"],
        },
      },
    },
    tests: {
      boot: [
        {
          description: "the USB gadget runs exactly where there is a device controller",
          command:
            'if [ -n "$(ls /sys/class/udc 2>/dev/null)" ]; then systemctl is-active helios-usb-gadget.service helios-dnsmasq.service; else systemctl show --property ConditionResult --value helios-usb-gadget.service; fi',
          expect: { stdout: { matches: "^(active\\nactive|no)\\s*$" } },
        },
        {
          description: "dnsmasq accepts its configuration",
          command: `dnsmasq --test --conf-file=${dnsmasqSettings} 2>&1`,
          expect: { stdout: { matches: "syntax check OK" } },
        },
        { type: "file", path: program, mode: "755", owner: "root" },
        // The kernel's dummy_hcd is a device controller whose cable leads to a host controller of the same machine.
        {
          description: "when a device controller appears, the gadget gets an interface and its address",
          command: `modprobe dummy_hcd && ip -brief address show ${interfaceName}`,
          expect: { stdout: { matches: "172\\.31\\.250\\.1/24" } },
          retry: true,
          timeout: 60,
        },
        {
          description: "whoever is at the other end of the cable gets an address of that network",
          command: "ip -brief address show | grep '^enx'",
          expect: { stdout: { matches: "172\\.31\\.250\\.([2-9]|1\\d|20)/24" } },
          retry: true,
          timeout: 60,
        },
        // The host's end is down meanwhile, so that it says nothing; when it comes up it hears of the carrier's going and
        // coming. It is being opened just then, so that now and then it needs the next telling.
        {
          description: "a host that has sent nothing since the cable was plugged in is told again of the network",
          command: [
            "set -e; host=/sys/class/net/$(basename /sys/class/net/enx*); before=$(cat $host/carrier_changes)",
            `heard() { test $(cat $host/carrier_changes) -ge $((before + 2)) && test $(cat $host/carrier) = 1; }`,
            "ip link set ${host##*/} down",
            `echo "0 $(cat /sys/class/net/${interfaceName}/statistics/rx_packets)" >${heard}`,
            "systemctl start helios-usb-gadget-watchdog.service",
            "ip link set ${host##*/} up",
            "for telling in 1 2 3 4; do for second in 1 2 3; do if heard; then exit; fi; sleep 1; done; systemctl start helios-usb-gadget-watchdog.service; done; heard",
          ].join("\n"),
          expect: {},
          timeout: 60,
        },
        {
          description: "a gadget that the controller has dropped is bound again",
          command: `echo >${gadget}/UDC && systemctl start helios-usb-gadget-watchdog.service && cat ${gadget}/UDC`,
          expect: { stdout: { equals: "dummy_udc.0" } },
        },
        {
          description:
            "the recovery program answers on the cable's serial port, as it does whenever that is there again",
          command:
            "test -c /dev/ttyACM0 && bash -c 'exec 3<>/dev/ttyACM0 && echo ping >&3 && read -r -t 5 line <&3 && echo \"$line\"'",
          expect: { stdout: { matches: '^\\{"name":"helios-usb-recoveryd","version":"[^"]+"\\}$' } },
          retry: true,
          timeout: 60,
        },
        {
          description: "the gadget can be taken away",
          command: `systemctl stop ${services} && modprobe --remove dummy_hcd && test ! -e ${gadget}`,
          expect: {},
        },
      ],
    },
  },
});
