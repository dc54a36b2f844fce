import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { bootSources, bootTexts } from "#pkgs/image/boot-partition.ts";
import { makePackages } from "#pkgs/index.ts";
import { inventedLock } from "./lock.ts";

const run = promisify(execFile);
const packages = join(import.meta.dirname, "../../pkgs");

t.test("every script is well-formed", async (t) => {
  const names = (await readdir(packages, { recursive: true })).filter(
    (name) => name.endsWith(".sh") || name === "initrd/init",
  );
  t.ok(names.length >= 6, `${names.length} scripts found`);
  for (const name of names.sort()) {
    await t.resolves(run(name.endsWith(".sh") ? "bash" : "sh", ["-n", join(packages, name)]), name);
  }
});

t.test("all ways to boot use one kernel command line", async (t) => {
  const pkgs = makePackages({ lock: inventedLock() });
  const linux = pkgs.linux();
  const commandLine = "root=LABEL=ACTIVE rw console=ttyAMA0";
  const boot = {
    linux,
    initrd: pkgs.initrd({ linux }),
    title: "HeliOS",
    commandLine,
    configText: "arm_64bit=1",
    deviceTrees: ["broadcom/bcm2712-rpi-5-b.dtb"],
    files: { "overlays/README": { content: "none\n" }, "overlays/x.dtbo": { source: "/nix/store/x" } },
  };
  const texts = bootTexts(boot);
  for (const path of ["cmdline.txt", "loader/entries/helios.conf", "extlinux/extlinux.conf"]) {
    t.ok(texts.get(path)?.includes(commandLine), path);
  }
  t.match(texts.get("config.txt"), /^arm_64bit=1\n\n\[all\]\nkernel=Image\ninitramfs initrd\.gz followkernel\n$/);
  t.equal(texts.get("overlays/README"), "none\n");
  const sources = bootSources(boot, "/nix/store/boot-loader");
  t.equal(
    sources.get("bcm2712-rpi-5-b.dtb"),
    `${linux.kernel}/dtbs/broadcom/bcm2712-rpi-5-b.dtb`,
    "at the top, where the firmware looks",
  );
  t.equal(sources.get("overlays/x.dtbo"), "/nix/store/x");
  t.equal(sources.get("EFI/BOOT/BOOTAA64.EFI"), "/nix/store/boot-loader");
});
