import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { checkAssertions, defineModule, type Module } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { makePackages } from "#pkgs/index.ts";
import { evalSystem } from "#modules/index.ts";

const pkgs = makePackages({ lock: viewLock(emptyLock) });
const evaluate = (...modules: Module[]) => evalSystem({ pkgs, modules }).config;

const settings = defineModule({
  config: {
    buildroot: {
      version: "2025.11",
      per_package_dirs: true,
      compression: "zstd",
      expand_size_mb: 2300,
      packages: { dnsmasq: true, "nss-mdns": true, "libcamera-apps": false },
      package_versions: { libyuv: "1.0" },
      symbols: { TARGET_ROOTFS_EXT2_RESBLKS: 5, BR2_TARGET_ROOTFS_EXT2_LABEL: 'AC"TIVE' },
      external: ["assets/buildroot", { src: "more", packages: ["turbojpeg", "coraltpu"] }],
      rpi: { board: "cm5", defconfig: "raspberrypicm5io_defconfig" },
    },
  },
});

t.test("settings of Buildroot are rendered as in the golden file, external trees with their wrappers", async (t) => {
  const config = evaluate(settings);
  const { buildroot } = config;
  t.equal(
    buildroot.rendered["defconfig.fragment"],
    await readFile(join(import.meta.dirname, "golden/buildroot.fragment"), "utf8"),
  );
  t.equal(buildroot.defconfig, "raspberrypicm5io_defconfig");
  t.strictSame(
    Object.entries(buildroot.rendered).filter(([name]) => name.startsWith("external/")),
    [
      [
        "external/HELIOS1/Config.in",
        'source "$BR2_EXTERNAL_HELIOS1_PATH/packages/coraltpu/Config.in"\nsource "$BR2_EXTERNAL_HELIOS1_PATH/packages/turbojpeg/Config.in"\n',
      ],
      ["external/HELIOS1/external.desc", "name: HELIOS1\ndesc: Packages of more\n"],
      [
        "external/HELIOS1/external.mk",
        "include $(BR2_EXTERNAL_HELIOS1_PATH)/packages/coraltpu/coraltpu.mk\ninclude $(BR2_EXTERNAL_HELIOS1_PATH)/packages/turbojpeg/turbojpeg.mk\n",
      ],
    ],
  );
  t.strictSame(checkAssertions(config), []);
});

t.test("names that Buildroot would drop, and symbols with two values, fail evaluation", async (t) => {
  const wrong = defineModule({
    config: {
      buildroot: {
        starting_point: { enabled: false },
        packages: { "python3-pip": true, ninja: true, dnsmasq: true },
        symbols: { package_dnsmasq: false },
        external: [{ src: "x", packages: ["ninja"] }],
      },
    },
  });
  t.throws(() => checkAssertions(evaluate(wrong)), {
    message:
      /DNSMASQ is true by packages\.dnsmasq and false by symbols\.package_dnsmasq[^]*python3-pip: Buildroot would drop it.*python-pip[^]*needs a configuration to start from[^]*Buildroot build is to come/,
  });
  t.throws(() => checkAssertions(evaluate(wrong)), { message: /^(?![^]*packages\.ninja)/ });
});
