import { defineModule, mkBefore } from "#lib/evaluator/index.ts";

/** Full power for what is plugged in: cameras and accelerators lose frames when their port is put to sleep. */
export default defineModule({
  name: "profiles/helios/usb-power",
  config: {
    boot: { kernelParams: mkBefore(["usbcore.autosuspend=-1"]) },
    services: {
      udev: {
        rules: {
          "90-helios-usb-power": [
            {
              comment: "Also devices whose driver switches power saving on by itself.",
              match: { ACTION: "add", SUBSYSTEM: "usb", TEST: "power/control" },
              set: { "ATTR{power/control}": "on" },
            },
          ],
        },
      },
    },
    tests: {
      boot: [
        {
          description: "no USB device is put to sleep",
          command: "cat /sys/bus/usb/devices/*/power/control 2>/dev/null | sort -u; cat /proc/cmdline",
          expect: { stdout: { matches: "^(on\\n)?[^\\n]*usbcore\\.autosuspend=-1[^\\n]*\\s*$" } },
        },
      ],
    },
  },
});
