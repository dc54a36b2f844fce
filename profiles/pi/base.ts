import { defineModule, mkAfter } from "#lib/evaluator/index.ts";

/** What all 64-bit Raspberry Pi boards have in common. */
export default defineModule({
  name: "profiles/pi/base",
  config: {
    boot: {
      // The last console is the one that systemd and its messages use.
      kernelParams: mkAfter(["console=ttyAMA0,115200"]),
      initrd: {
        optionalModules: ["mmc_block", "sdhci-brcmstb", "sdhci-iproc", "bcm2835", "pcie-brcmstb", "nvme"],
      },
      configTxt: "arm_64bit=1\nenable_uart=1\n",
    },
  },
});
