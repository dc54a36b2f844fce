import { defineModule, mkAfter } from "#lib/evaluator/index.ts";
import base from "./base.ts";

/** The Raspberry Pi Compute Module 5. */
export default defineModule({
  name: "profiles/pi/cm5",
  imports: [base],
  config: {
    board: {
      name: "Raspberry Pi Compute Module 5",
      // By its device tree, in which the port is called ethernet0.
      networkInterfaces: ["end0"],
      // start*.elf is in the EEPROM since the Pi 5.
      bootFiles: ["config.txt", "bcm2712-rpi-5-b.dtb"],
    },
    boot: {
      // Debian has no device tree of the CM5 itself; the Pi 5 has the same processor.
      deviceTrees: ["broadcom/bcm2712-rpi-5-b.dtb"],
      // Last, and closed: what follows a section belongs to it.
      configTxt: mkAfter("[cm5]\ndtparam=nvme\n[all]\n"),
    },
  },
});
